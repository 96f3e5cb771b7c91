import type { ComponentChildren, ComponentProps } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: string | undefined;
  fault?: string | null | undefined;
  children: (attributes: { id: string; "aria-describedby"?: string; "aria-invalid"?: "true" }) => ComponentChildren;
}

/** A label, what is wanted, and what is wrong with it; all of it read out with the field. */
export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        ...(described ? { "aria-describedby": described } : {}),
        ...(fault ? { "aria-invalid": "true" as const } : {}),
      })}
      {hint && (
        <small id={`${id}-hint`} class="quiet">
          {hint}
        </small>
      )}
      {fault && (
        <small id={`${id}-fault`} class="bad">
          {fault}
        </small>
      )}
    </div>
  );
}

interface TextProps {
  label: string;
  hint?: string | undefined;
  fault?: string | null | undefined;
  value: string;
  onText: (text: string) => void;
  kind?: "text" | "tel" | "password" | "email";
  inputMode?: "text" | "decimal" | "numeric" | "tel" | "email";
  autocomplete?: string;
  maxLength?: number;
  large?: boolean;
  required?: boolean;
}

/** One line of text. Nothing is reformatted while somebody types. */
export function TextField({ label, hint, fault, value, onText, kind = "text", large = false, ...more }: TextProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(attributes) => (
        <input
          // Preact types an input by its `type`; ours is known only here
          {...({
            type: kind,
            ...more,
            ...attributes,
            ...(large ? { class: "amount" } : {}),
          } as ComponentProps<"input">)}
          value={value}
          onInput={(event) => onText(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** What has to be heard at once, in the place where it belongs: no message flies in and away. */
export function Told({ children, warning = false }: { children: ComponentChildren; warning?: boolean }) {
  return (
    <p class={warning ? "note warning" : "note"} role={warning ? "alert" : "status"}>
      {children}
    </p>
  );
}

/** A button that stays where it is while its work goes on, and does it once. */
export function Act({
  busy = false,
  first = false,
  submits = false,
  onPress,
  children,
}: {
  busy?: boolean;
  first?: boolean;
  submits?: boolean;
  onPress?: () => void;
  children: ComponentChildren;
}) {
  const names = [first && "first", busy && "waiting"].filter(Boolean).join(" ");
  return (
    <button
      type={submits ? "submit" : "button"}
      class={names}
      aria-disabled={busy}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onPress?.();
      }}
    >
      {children}
    </button>
  );
}
