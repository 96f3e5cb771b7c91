/** A password: hidden as it is typed, and shown to whoever presses the button beside it until the form is sent. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { texts } from "../texts";
import { TextField, type TextProps } from "./fields";

export function PasswordField({
  label,
  ...more
}: Omit<TextProps, "kind" | "autocomplete"> & { autocomplete: "current-password" | "new-password" }) {
  const isShown = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const form = button.current?.form;
    const hide = () => {
      isShown.value = false;
    };
    // before the form's own work: what a password manager is offered is a password
    form?.addEventListener("submit", hide, { capture: true });
    return () => form?.removeEventListener("submit", hide, { capture: true });
  }, [isShown]);
  return (
    <TextField
      label={label}
      kind={isShown.value ? "text" : "password"}
      beside={
        <button
          ref={button}
          type="button"
          aria-pressed={isShown.value}
          onClick={() => {
            isShown.value = !isShown.value;
          }}
        >
          {texts.value.common.show}
          <span class="unseen"> {label}</span>
        </button>
      }
      {...more}
    />
  );
}
