import { useSignal } from "@preact/signals";
import { texts } from "../texts";
import { Act } from "./fields";

/** Copies a text, and says so where the finger is. `of`: which one it is, for whoever hears and does not see it. */
export function Copy({ text, says, of }: { text: string; says?: string; of?: string }) {
  const state = useSignal<"ready" | "copied" | "refused">("ready");
  const word = { ready: says ?? texts.value.common.copy, copied: texts.value.common.copied, refused: text };
  return (
    <Act
      onPress={() =>
        void navigator.clipboard.writeText(text).then(
          () => {
            state.value = "copied";
          },
          // what can't be copied can be read and marked
          () => {
            state.value = "refused";
          },
        )
      }
    >
      <span aria-live="polite">{word[state.value]}</span>
      {of && <span class="unseen"> {of}</span>}
    </Act>
  );
}

/** The share sheet of the device, where it has one. */
export function Share({ title, url }: { title: string; url: string }) {
  if (!("share" in navigator)) return null;
  return (
    <Act first onPress={() => void navigator.share({ title, url }).catch(() => undefined)}>
      {texts.value.common.share}
    </Act>
  );
}
