import { useSignal } from "@preact/signals";
import { texts } from "../texts";
import { Act } from "./fields";

/** Copies a text, and says so where the finger is. */
export function Copy({ text }: { text: string }) {
  const isDone = useSignal(false);
  return (
    <Act
      onPress={() =>
        void navigator.clipboard.writeText(text).then(
          () => {
            isDone.value = true;
          },
          () => undefined,
        )
      }
    >
      <span aria-live="polite">{isDone.value ? texts.value.common.copied : texts.value.common.copy}</span>
    </Act>
  );
}

/** The share sheet of the device, where it has one. */
export function Share({ title, url }: { title: string; url: string }) {
  if (!("share" in navigator)) return null;
  return (
    <Act onPress={() => void navigator.share({ title, url }).catch(() => undefined)}>{texts.value.common.share}</Act>
  );
}
