import { computed, signal } from "@preact/signals";
import { en, type Texts } from "./en";
import { hi } from "./hi";

export type Language = "en" | "hi";
const ALL: Record<Language, Texts> = { en, hi };

const first = (): Language => {
  const chosen = localStorage.getItem("language");
  if (chosen === "en" || chosen === "hi") return chosen;
  return navigator.language.startsWith("hi") ? "hi" : "en";
};

export const language = signal<Language>(first());
export const texts = computed<Texts>(() => ALL[language.value]);
export const locale = computed(() => `${language.value}-IN`);

export function speak(chosen: Language): void {
  language.value = chosen;
  localStorage.setItem("language", chosen);
}
