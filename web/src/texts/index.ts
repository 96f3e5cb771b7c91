import { computed, signal } from "@preact/signals";
import { en, type Texts } from "./en";

export type Language = "en" | "hi";

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
  try {
    localStorage.setItem("language", language);
  } catch {
    // a browser that keeps nothing is asked its own language next time
  }
}

/** The language that was chosen here before, else the browser's. */
export function firstLanguage(): Language {
  const chosen = chosenBefore();
  if (chosen === "en" || chosen === "hi") return chosen;
  return navigator.language.startsWith("hi") ? "hi" : "en";
}

function chosenBefore(): string | null {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}
