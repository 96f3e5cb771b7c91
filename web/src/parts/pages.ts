/** A list that is read page by page, the newest first. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "../api/client";
import type { Answer } from "../api/sending";

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

/** A problem: why there is no answer. */
type State = "loading" | "lost" | "more" | "end" | Problem;

export interface Pages<T> {
  rows: Signal<T[]>;
  state: Signal<State>;
  more: () => Promise<void>;
  /** From the newest on. */
  again: () => void;
}

/** `about` says what is listed: when it changes the list begins anew. */
export function usePages<T>(ask: (cursor: string | undefined) => Promise<Answer<Page<T>>>, about = ""): Pages<T> {
  const rows = useSignal<T[]>([]);
  const state = useSignal<State>("loading");
  const cursor = useSignal<string | undefined>(undefined);
  /** Another one with each question: an answer to an older one is of no use. */
  const turn = useRef(0);

  const more = async () => {
    turn.current += 1;
    const own = turn.current;
    state.value = "loading";
    const answer = await ask(cursor.value).catch(() => null);
    if (own !== turn.current) return;
    if (answer?.data === undefined) {
      state.value = (answer?.error as Problem | undefined) ?? "lost";
      return;
    }
    rows.value = [...rows.value, ...answer.data.data];
    cursor.value = answer.data.next_cursor ?? undefined;
    state.value = answer.data.next_cursor === null ? "end" : "more";
  };
  const again = () => {
    rows.value = [];
    cursor.value = undefined;
    void more();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list changes with what is listed alone
  useEffect(again, [about]);
  return { rows, state, more, again };
}
