/** Screens by their paths; ids stand behind a #, which reaches no log and no other site. */
import { signal } from "@preact/signals";
import { SCREENS, type Screen } from "./addresses";

export type { Screen };

export interface Place {
  screen: Screen | null;
  /** What stands behind the #, such as a top-up's id. */
  about: string;
}

/** What stands behind a #; a link that is written wrongly is about nothing. */
const aboutOf = (hash: string): string => {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return "";
  }
};

const here = (): Place => {
  const name = location.pathname.replace(/^\/|\/$/g, "");
  const screen = SCREENS.find((one) => one === name) ?? null;
  return { screen, about: aboutOf(location.hash) };
};

export const place = signal<Place>(here());

addEventListener("popstate", () => {
  place.value = here();
});

export const addressOf = (screen: Screen, about = ""): string =>
  `/${screen}${about ? `#${encodeURIComponent(about)}` : ""}`;

export function go(screen: Screen, about = "", { replaces = false } = {}): void {
  const address = addressOf(screen, about);
  if (replaces || address === location.pathname + location.hash) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  place.value = here();
  scrollTo(0, 0);
}

/** Follows links of ours without loading the page anew. */
export function followLinks(event: MouseEvent): void {
  const link = (event.target as Element).closest?.("a[href]");
  const isChosen = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const isPlain = isChosen && !event.defaultPrevented;
  if (!(link instanceof HTMLAnchorElement) || !isPlain || link.target || link.hasAttribute("download")) return;
  const address = new URL(link.href);
  const screen = SCREENS.find((one) => `/${one}` === address.pathname);
  if (address.origin !== location.origin || screen === undefined) return;
  event.preventDefault();
  go(screen, aboutOf(address.hash));
}

/** Where somebody was when they were asked to sign in: who opens a wallet first goes on there. */
let wanted: Place = { screen: "", about: "" };

export function want(there: Place): void {
  wanted = there;
}

export function goOn(): void {
  go(wanted.screen ?? "", wanted.about, { replaces: true });
}
