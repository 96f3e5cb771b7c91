/** What a refusal means for the person who meets it. A code without a sentence of its own says what the API says. */
import type { Problem } from "../api/client";
import type { Texts } from "../texts/en";

const codes = (texts: Texts): Record<string, string | undefined> => texts.problems;

export function sentenceFor(problem: Problem, texts: Texts, retryAfterS: number | null = null): string {
  const own = codes(texts)[problem.code] ?? problem.detail ?? problem.title;
  return retryAfterS === null ? own : `${own} ${texts.common.waitFor(howLong(retryAfterS, texts))}`;
}

export function howLong(seconds: number, texts: Texts): string {
  return seconds < 100 ? texts.common.seconds(seconds) : texts.common.minutes(Math.ceil(seconds / 60));
}

/** What is wrong with one field, if the API names it. */
export const faultOf = (problem: Problem | null, field: string): string | null =>
  problem?.errors?.find((fault) => fault.field === field)?.message ?? null;
