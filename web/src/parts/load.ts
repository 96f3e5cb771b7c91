/** What a screen shows of the API: asked again when the tab comes back, and kept while nobody answers. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isSignedOut, type Problem } from "../api/client";
import type { Answer } from "../api/sending";

export type Loaded<T> =
  | { is: "loading" }
  /** `isOld`: it was so `at` that time, and nobody has answered since. */
  | { is: "there"; value: T; at: Date; isOld: boolean }
  | { is: "refused"; problem: Problem }
  | { is: "lost" };

/** Whoever has not touched anything for so long may have left: asking on would keep their session open for others. */
const IDLE_MS = 10 * 60_000;
let touchedAt = performance.now();
for (const touch of ["pointerdown", "keydown"])
  addEventListener(
    touch,
    () => {
      touchedAt = performance.now();
    },
    { capture: true, passive: true },
  );

interface How<T> {
  /** When it changes, something else is asked for. */
  about?: string;
  /** After so many seconds it is asked for again; null: not by itself. */
  everyS?: (value: T | null) => number | null;
  /** It stands on a counter and is looked at, and nobody touches it. */
  isWatched?: boolean;
}

/** Asks now, when the tab comes back, and every `everyS` seconds where that is given. */
export function useLoaded<T>(ask: () => Promise<Answer<T>>, how: How<T> = {}): [Signal<Loaded<T>>, () => void] {
  const state = useSignal<Loaded<T>>({ is: "loading" });
  const load = useRef<() => void>(() => undefined);
  const latest = useRef({ ask, how });
  latest.current = { ask, how };
  const about = how.about ?? "";

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked for changes with `about` alone
  useEffect(() => {
    let isOver = false;
    let turn = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      clearTimeout(timer);
      turn += 1;
      const own = turn;
      const answer = await latest.current.ask().catch(() => null);
      // what was asked before something was done may be answered after it, and is out of date then
      if (isOver || own !== turn) return;
      state.value = after(state.value, answer);
      const pause = latest.current.how.everyS?.(state.value.is === "there" ? state.value.value : null) ?? null;
      if (pause !== null) timer = setTimeout(ifWanted, pause * 1000);
    };
    let isDue = false;
    const ifWanted = () => {
      const isLeft = performance.now() - touchedAt > IDLE_MS && latest.current.how.isWatched !== true;
      isDue = isLeft || document.visibilityState !== "visible";
      if (!isDue) void run();
    };
    const touched = () => {
      if (isDue) ifWanted();
    };
    const comesBack = () => {
      if (document.visibilityState !== "visible") return;
      isDue = false;
      void run();
    };
    load.current = () => {
      if (state.value.is !== "there") state.value = { is: "loading" };
      void run();
    };
    state.value = { is: "loading" };
    void run();
    document.addEventListener("visibilitychange", comesBack);
    addEventListener("online", comesBack);
    addEventListener("pointerdown", touched);
    addEventListener("keydown", touched);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", comesBack);
      removeEventListener("online", comesBack);
      removeEventListener("pointerdown", touched);
      removeEventListener("keydown", touched);
    };
  }, [about]);
  return [state, () => load.current()];
}

function after<T>(before: Loaded<T>, answer: Answer<T> | null): Loaded<T> {
  if (answer?.data !== undefined) return { is: "there", value: answer.data, at: new Date(), isOld: false };
  const problem = answer?.error as Problem | undefined;
  // an end of the session is not what the screen says: it gives way to the sign-in
  const isAnswer = problem !== undefined && (answer?.response.status ?? 500) < 500 && !isSignedOut(problem);
  // too many questions at once are no reason to take away what is shown
  const isBusy = answer?.response.status === 429;
  if (isAnswer && !(isBusy && before.is === "there")) return { is: "refused", problem };
  return before.is === "there" ? { ...before, isOld: true } : { is: "lost" };
}
