import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { Loading, Lost } from "./loading";

/** A screen that is fetched when it is opened. */
export function Later({ fetchScreen }: { fetchScreen: () => Promise<FunctionComponent> }) {
  const screen = useSignal<{ Fetched: FunctionComponent | null }>({ Fetched: null });
  const isLost = useSignal(false);
  const turn = useSignal(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn is another try
  useEffect(() => {
    isLost.value = false;
    fetchScreen().then(
      (Fetched) => {
        screen.value = { Fetched };
      },
      () => {
        isLost.value = true;
      },
    );
  }, [turn.value]);
  const { Fetched } = screen.value;
  if (Fetched !== null) return <Fetched />;
  return isLost.value ? <Lost again={() => turn.value++} /> : <Loading />;
}
