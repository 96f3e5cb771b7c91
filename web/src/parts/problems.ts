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
  const own = of(texts.problems, problem.code) ?? problem.detail ?? problem.title ?? problem.code;
  const limit = problem.limit && limitLeft(problem.limit, texts);
  const isTooOften = TOO_OFTEN.has(problem.code);
  const wait =
    retryAfterS === null ? isTooOften && texts.common.waitAWhile : texts.common.waitFor(howLong(retryAfterS, texts));
  return [own, limit, wait].filter(Boolean).join(" ");
}

/** Such as "Left today: ₹500.00"; null for what is no amount. */
export function limitLeft({ code, left }: NonNullable<Problem["limit"]>, texts: Texts): string | null {
  if (code === "person_to_person" || code === "withdrawals" || code === "max_placed_holds") return null;
  return `${texts.limits[code]}: ${showAmount(Math.max(left, 0), locale.value)}`;
}

export function howLong(seconds: number, texts: Texts): string {
  return seconds < 100 ? texts.common.seconds(seconds) : texts.common.minutes(Math.ceil(seconds / 60));
}

/** What is wrong with one field, if the API names it. */
export function faultOf(problem: Problem | null, field: string, texts: Texts): string | null {
  const fault = problem?.errors?.find((one) => one.field === field);
  return fault === undefined ? null : (of(texts.faults, field) ?? fault.message);
}
