import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { Loading, Lost } from "./loading";

interface Script {
  /** Null until it has come. */
  Screen: FunctionComponent | null;
  fetch: () => Promise<void>;
}

/** A screen whose script comes when it is opened, or ahead of that by `fetch`. */
export function onDemand(fetchScreen: () => Promise<FunctionComponent>) {
  const script: Script = {
    Screen: null,
    fetch: async () => {
      script.Screen ??= await fetchScreen();
    },
  };
  return Object.assign(() => <OnDemand script={script} />, { fetch: script.fetch });
}

function OnDemand({ script }: { script: Script }) {
  const isThere = useSignal(script.Screen !== null);
  const isLost = useSignal(false);
  const turn = useSignal(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn is another try
  useEffect(() => {
    isLost.value = false;
    script.fetch().then(
      () => {
        isThere.value = true;
      },
      () => {
        isLost.value = true;
        if (turn.value > 0) void loadAnew();
      },
    );
  }, [turn.value]);
  if (isThere.value && script.Screen !== null) return <script.Screen />;
  return isLost.value ? <Lost again={() => turn.value++} /> : <Loading />;
}

/** Some browsers keep a failure until the page is loaded anew; where the page itself can't be had, it stays as it is. */
async function loadAnew(): Promise<void> {
  const page = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (page?.ok) location.reload();
}
