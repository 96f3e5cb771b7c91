/** What a movement would come to: asked for a moment after somebody has stopped typing. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";

const PAUSE_MS = 400;

/** Null as `query`: there is nothing to ask for yet. Null as what comes of it: it is not known. */
export function usePreview<Query>(
  query: Query | null,
  ask: (query: Query) => Promise<{ data?: Schemas["Preview"] }>,
): Signal<Schemas["Preview"] | null> {
  const preview = useSignal<Schemas["Preview"] | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query is one that says something else
  useEffect(() => {
    preview.value = null;
    if (query === null) return;
    let isOver = false;
    const timer = setTimeout(async () => {
      const answer = await ask(query).catch(() => null);
      if (!isOver) preview.value = answer?.data ?? null;
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [JSON.stringify(query)]);
  return preview;
}
