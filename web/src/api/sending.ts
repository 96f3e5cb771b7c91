/**
 * Sending what moves money. There are three ends: done, refused (nothing moved), and unknown, which is a state of its own
 * and is ended only by the same request under the same key.
 */
import type { Problem } from "./client";

export type Outcome<Done> =
  | { is: "done"; body: Done; replayed: boolean }
  /** `wasLost`: an attempt before it may still arrive, whatever its repetition was refused for. */
  | { is: "refused"; problem: Problem; retryAfterS: number | null; wasLost: boolean }
  | { is: "unknown" };

/** An answer as the typed client tells it. */
export interface Answer<Done> {
  data?: Done | undefined;
  error?: unknown;
  response: Response;
}

/** How often a busy answer is asked again by itself, before a person is told that nobody knows. */
const TRIES = 4;
const BUSY = new Set(["idempotency_key_in_use", "try_again", "gateway_unavailable", "too_many_requests"]);
/** What is also said of a request that nobody waits for any more, and that goes on. */
const LOST = new Set(["idempotency_key_in_use", "try_again", "gateway_unavailable"]);

/**
 * `send` is called with the same key each time. What was lost on the way, and every answer that is none of ours, is
 * unknown: the money may have moved.
 */
export async function sendOnce<Done>(send: () => Promise<Answer<Done>>): Promise<Outcome<Done>> {
  let wasLost = false;
  for (let turn = 1; ; turn++) {
    const outcome = await attempt(send);
    if (outcome.is !== "refused") return outcome;
    if (!BUSY.has(outcome.problem.code)) return { ...outcome, wasLost };
    wasLost ||= LOST.has(outcome.problem.code);
    if (turn === TRIES) return { is: "unknown" };
    await new Promise((resolve) => setTimeout(resolve, Math.min(outcome.retryAfterS ?? turn, 5) * 1000));
  }
}

async function attempt<Done>(send: () => Promise<Answer<Done>>): Promise<Outcome<Done>> {
  let answer: Answer<Done>;
  try {
    answer = await send();
  } catch {
    return { is: "unknown" };
  }
  const { data, error, response } = answer;
  if (data !== undefined && response.ok)
    return { is: "done", body: data, replayed: response.headers.get("Idempotency-Replayed") === "true" };
  // an error has a code (answers.ts); neither of the two is a 2xx that says nothing
  const problem = error as Problem | undefined;
  if (problem === undefined || problem.code === "internal_error") return { is: "unknown" };
  const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return {
    is: "refused",
    problem,
    retryAfterS: Number.isNaN(after) ? null : after,
    wasLost: false,
  };
}

/** What a list that was asked for by a key has; null: nothing has come of the key. Throws where that was not answered. */
export function onlyOne<T>({ data, response }: Answer<{ data: T[] }>): T | null {
  if (data === undefined) throw new Error(`not answered: ${response.status}`);
  return data.data[0] ?? null;
}
