/** What a movement would come to: asked for a moment after somebody has stopped typing. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";

const PAUSE_MS = 400;

/** Null: nothing is known, as there is nothing to ask for yet or nobody has answered. */
export type Preview = Schemas["Preview"] | "coming" | null;

/** Null as `query`: there is nothing to ask for yet. */
export function usePreview<Query>(
  query: Query | null,
  ask: (query: Query) => Promise<{ data?: Schemas["Preview"] }>,
): Signal<Preview> {
  const preview = useSignal<Preview>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query is one that says something else
  useEffect(() => {
    preview.value = query === null ? null : "coming";
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
