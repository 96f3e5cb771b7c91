import { useEffect } from "preact/hooks";
import { go, type Screen } from "../router";

/** Takes whoever sees it to another screen, and leaves nothing to come back to. */
export function Goes({ to, about }: { to: Screen; about: string }) {
  useEffect(() => go(to, about, { replaces: true }), [to, about]);
  return null;
}
