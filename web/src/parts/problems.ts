/** What a refusal means for the person who meets it. A code without a sentence of its own says what the API says. */
import type { Problem } from "../api/client";
import { showAmount } from "../money";
import { locale } from "../texts";
import type { Texts } from "../texts/en";

const of = (sentences: Record<string, string>, name: string): string | undefined => sentences[name];

/** What waiting helps against, even where nobody says how long. */
const TOO_OFTEN = new Set([
  "too_many_requests",
  "too_many_attempts",
  "too_many_codes",
  "too_many_lookups",
  "try_again",
]);

/** All but the code may be missing: a refusal that the app knows of by itself. */
type AnyProblem = Pick<Problem, "code"> & Partial<Problem>;

export function sentenceFor(problem: AnyProblem, texts: Texts, retryAfterS: number | null = null): string {
  const limit = problem.limit && brokenLimit(problem.limit, texts);
  const own = limit ?? of(texts.problems, problem.code) ?? problem.detail ?? problem.title ?? problem.code;
  const isTooOften = TOO_OFTEN.has(problem.code);
  const wait =
    retryAfterS === null ? isTooOften && texts.common.waitAWhile : texts.common.waitFor(howLong(retryAfterS, texts));
  return [own, wait].filter(Boolean).join(" ");
}

/** What one's own wallet may not, or how much less: such as "You can pay ₹500.00 more today." */
export function brokenLimit({ code, left }: NonNullable<Problem["limit"]>, texts: Texts): string {
  const sentence = texts.limits[code];
  return typeof sentence === "string" ? sentence : sentence(showAmount(Math.max(left, 0), locale.value));
}

export function howLong(seconds: number, texts: Texts): string {
  return seconds < 100 ? texts.common.seconds(seconds) : texts.common.minutes(Math.ceil(seconds / 60));
}

/** What there is to say beside fields that show their own faults; null where those say all of it. */
export function sentenceBeside(problem: Problem, shown: ReadonlySet<string>, texts: Texts): string | null {
  const faults = problem.errors ?? [];
  if (problem.code !== "invalid_request" || faults.length === 0) return sentenceFor(problem, texts);
  const others = faults.filter(({ field }) => !shown.has(field));
  return others.map((one) => of(texts.faults, one.field) ?? one.message).join(" ") || null;
}

/** What is wrong with one field, if the API names it. */
export function faultOf(problem: Problem | null, field: string, texts: Texts): string | null {
  const fault = problem?.errors?.find((one) => one.field === field);
  return fault === undefined ? null : (of(texts.faults, field) ?? fault.message);
}
