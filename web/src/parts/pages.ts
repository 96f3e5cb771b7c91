/** A list that is read page by page, the newest first. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Answer } from "../api/sending";

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Pages<T> {
  rows: Signal<T[]>;
  state: Signal<"loading" | "lost" | "more" | "end">;
  more: () => Promise<void>;
}

/** `about` says what is listed: when it changes the list begins anew. */
export function usePages<T>(ask: (cursor: string | undefined) => Promise<Answer<Page<T>>>, about = ""): Pages<T> {
  const rows = useSignal<T[]>([]);
  const state = useSignal<"loading" | "lost" | "more" | "end">("loading");
  const cursor = useSignal<string | undefined>(undefined);
  const listed = useSignal(about);

  const more = async () => {
    const asked = listed.value;
    state.value = "loading";
    const answer = await ask(cursor.value).catch(() => null);
    if (asked !== listed.value) return; // an answer to what is listed no more
    if (answer?.data === undefined) {
      state.value = "lost";
      return;
    }
    rows.value = [...rows.value, ...answer.data.data];
    cursor.value = answer.data.next_cursor ?? undefined;
    state.value = answer.data.next_cursor === null ? "end" : "more";
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list changes with what is listed alone
  useEffect(() => {
    listed.value = about;
    rows.value = [];
    cursor.value = undefined;
    void more();
  }, [about]);
  return { rows, state, more };
}
