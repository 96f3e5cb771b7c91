/** What a movement would come to: asked for a moment after somebody has stopped typing. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isSignedOut, type Problem, type Schemas } from "../api/client";
import type { Answer } from "../api/sending";

const PAUSE_MS = 400;

/** Null: nothing is known, as there is nothing to ask for yet or nobody has answered. */
export type Preview = Schemas["Preview"] | { refused: Problem } | "coming" | null;

/** Null as `query`: there is nothing to ask for yet. */
export function usePreview<Query>(
  query: Query | null,
  ask: (query: Query) => Promise<Answer<Schemas["Preview"]>>,
): Signal<Preview> {
  const preview = useSignal<Preview>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query is one that says something else
  useEffect(() => {
    preview.value = query === null ? null : "coming";
    if (query === null) return;
    let isOver = false;
    const timer = setTimeout(async () => {
      const answer = await ask(query).catch(() => null);
      if (!isOver) preview.value = answer && (answer.data ?? refusalIn(answer));
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [JSON.stringify(query)]);
  return preview;
}

/** What the movement itself would be refused for. That a look ahead came too often, or while nothing worked, is none. */
function refusalIn({ error, response }: Answer<unknown>): { refused: Problem } | null {
  const problem = error as Problem | undefined;
  const isOfTheMovement = response.status < 500 && response.status !== 429;
  return problem !== undefined && isOfTheMovement && !isSignedOut(problem) ? { refused: problem } : null;
}
