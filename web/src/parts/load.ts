/** What a screen shows of the API: asked again when the tab comes back, and kept while nobody answers. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Problem } from "../api/client";
import type { Told } from "../api/sending";

export type Loaded<T> =
  | { is: "loading" }
  | { is: "there"; value: T }
  | { is: "refused"; problem: Problem }
  | { is: "lost" };

/** Asks now, when the tab comes back, and every `everyS` seconds if that is told. */
export function useLoaded<T>(
  ask: () => Promise<Told<T>>,
  { about = "", everyS = null }: { about?: string; everyS?: ((value: T | null) => number | null) | null } = {},
): [Signal<Loaded<T>>, () => void] {
  const state = useSignal<Loaded<T>>({ is: "loading" });
  const turn = useSignal(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async () => {
      clearTimeout(timer);
      const told = await ask().catch(() => null);
      if (isOver) return;
      if (told?.data !== undefined) state.value = { is: "there", value: told.data };
      else if (told?.response.status !== 304) {
        const problem = told?.error as Partial<Problem> | undefined;
        if (typeof problem?.code === "string" && told !== null && told.response.status < 500)
          state.value = { is: "refused", problem: problem as Problem };
        else if (state.value.is !== "there") state.value = { is: "lost" };
      }
      const pause = everyS?.(state.value.is === "there" ? state.value.value : null) ?? null;
      if (pause !== null) timer = setTimeout(load, pause * 1000);
    };
    const comesBack = () => document.visibilityState === "visible" && void load();
    void load();
    addEventListener("visibilitychange", comesBack);
    addEventListener("online", comesBack);
    return () => {
      isOver = true;
      clearTimeout(timer);
      removeEventListener("visibilitychange", comesBack);
      removeEventListener("online", comesBack);
    };
  }, [about, turn.value]);
  return [state, () => turn.value++];
}
