import { computed, signal } from "@preact/signals";
import { store, stored } from "../storage";
import { en, type Texts } from "./en";

export type Language = "en" | "hi";

/** Where the choice is kept. */
const CHOSEN = "language";

/** English is always there; another language comes when somebody speaks it. */
const LOADS: Record<Language, () => Promise<Texts>> = {
  en: async () => en,
  hi: async () => (await import("./hi")).hi,
};
const loaded: Partial<Record<Language, Texts>> = { en };

export const language = signal<Language>("en");
export const texts = computed<Texts>(() => loaded[language.value] ?? en);
export const locale = computed(() => `${language.value}-IN`);

/** Changes the language once its sentences are there; where they can't be had, it stays as it is. */
export async function speak(chosen: Language): Promise<void> {
  try {
    loaded[chosen] ??= await LOADS[chosen]();
  } catch {
    return;
  }
  language.value = chosen;
}

export function choose(language: Language): void {
  void speak(language);
  store(CHOSEN, language);
}

/** The language that was chosen here before, else the browser's. */
export function firstLanguage(): Language {
  const chosen = stored(CHOSEN);
  if (chosen === "en" || chosen === "hi") return chosen;
  return navigator.language.startsWith("hi") ? "hi" : "en";
}
