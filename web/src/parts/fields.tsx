import type { ComponentChildren, ComponentProps } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** The form that was sent last and is waited for: the first fault that comes of it gets the focus. */
let sent: EventTarget | null = null;

/** Leads whoever sends a form to the first field that is wrong: at once, or when the API has said which it is. */
export function showFaults(event: Event): void {
  sent = event.target;
  setTimeout(() => {
    const wrong = (event.target as Element).querySelector<HTMLElement>("[aria-invalid]");
    if (wrong !== null) sent = null;
    wrong?.focus();
  });
}

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

export interface TextProps {
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
  /** Whoever sees it is about to type into it. */
  isNext?: boolean;
  /** A button that stands in one line with it. */
  beside?: ComponentChildren;
}

/** One line of text. Nothing is reformatted while somebody types. */
export function TextField({
  label,
  hint,
  fault,
  value,
  onText,
  kind = "text",
  large = false,
  isNext = false,
  beside,
  ...more
}: TextProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isNext) input.current?.focus();
  }, [isNext]);
  useEffect(() => {
    if (!fault || sent === null || sent !== input.current?.form) return;
    sent = null;
    input.current.focus();
  }, [fault]);
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(attributes) => {
        const line = (
          <input
            // Preact types an input by its `type`; ours is known only here
            {...({
              type: kind,
              ...more,
              ...attributes,
              ...(large ? { class: "amount" } : {}),
              // nobody corrects a password that is shown, and no dictionary elsewhere is asked about it
              ...(beside ? { spellcheck: false, autocapitalize: "none", autocorrect: "off" } : {}),
            } as ComponentProps<"input">)}
            ref={input}
            value={value}
            onInput={(event) => onText(event.currentTarget.value)}
          />
        );
        return beside === undefined ? (
          line
        ) : (
          <span class="beside">
            {line}
            {beside}
          </span>
        );
      }}
    </Field>
  );
}

/** What has to be heard at once, in the place where it belongs: no message flies in and away. */
export function Note({ children, warning = false }: { children: ComponentChildren; warning?: boolean }) {
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
  plain = false,
  submits = false,
  onPress,
  children,
}: {
  busy?: boolean;
  first?: boolean;
  /** Looks like a link: what few people want. */
  plain?: boolean;
  submits?: boolean;
  onPress?: () => void;
  children: ComponentChildren;
}) {
  const names = [first && "first", plain && "plain", busy && "waiting"].filter(Boolean).join(" ");
  return (
    <button
      type={submits ? "submit" : "button"}
      class={names}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onPress?.();
      }}
    >
      {children}
    </button>
  );
}

/** Puts the focus on what has taken the place of what was pressed, and its beginning in sight: nobody is lost. */
export function Stage({ step, children }: { step: string; children: ComponentChildren }) {
  const stage = useRef<HTMLDivElement>(null);
  const before = useRef(step);
  useEffect(() => {
    const isFocused = stage.current?.contains(document.activeElement);
    if (before.current !== step && !isFocused) {
      stage.current?.focus({ preventScroll: true });
      showBeginning(stage.current);
    }
    before.current = step;
  }, [step]);
  return (
    <div ref={stage} class="stage" tabIndex={-1}>
      {children}
    </div>
  );
}

/** Of what is higher than the screen the browser by itself shows the middle. At once: some want nothing to move. */
function showBeginning(stage: HTMLElement | null): void {
  const top = stage?.getBoundingClientRect().top ?? 0;
  if (top < 0 || top > innerHeight / 2) stage?.scrollIntoView({ block: "start", behavior: "instant" });
}
