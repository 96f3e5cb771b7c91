/**
 * Whether an answer is the API's own. What stands between it and here (a gateway, a CDN, a firewall, a hotel's sign-in page)
 * answers too, with pages, with nothing, with 200: nothing of that is believed done, and nothing refused.
 */

/** The answer itself; throws, as where nobody answers, for one that isn't the API's. */
export async function ofTheApi(answer: Response): Promise<Response> {
  const isOurs = answer.ok ? answer.headers.has("X-Request-Id") : await isProblem(answer);
  if (isOurs) return answer;
  throw new Error(`no answer of the API: ${answer.status}`);
}

/** Our firewall can't name the type of a problem, and says it in the same words. */
async function isProblem(answer: Response): Promise<boolean> {
  const problem: { code?: unknown } | null = await answer
    .clone()
    .json()
    .catch(() => null);
  return typeof problem?.code === "string";
}
