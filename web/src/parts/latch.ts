import { useSignal, useSignalEffect } from "@preact/signals";

/** Whether something has been so since the screen was opened: what has come stays there while it is asked for again. */
export function useLatch(isSo: () => boolean): boolean {
  const hasBeen = useSignal(false);
  useSignalEffect(() => {
    if (isSo()) hasBeen.value = true;
  });
  return hasBeen.value;
}
