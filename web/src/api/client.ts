/** The API, typed by its own document. */
import createClient from "openapi-fetch";
import { ofTheApi } from "./answers";
import type { components, paths } from "./schema";
import { accessToken, LONGEST_MS, owner, refused } from "./session";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

const OF_THE_SESSION: ReadonlySet<unknown> = new Set(["missing_token", "invalid_token", undefined]);

/** Whether a refusal says nothing but that somebody has to sign in again. */
export const isSignedOut = (problem: { code?: string }): boolean =>
  problem.code === "missing_token" || problem.code === "invalid_token";

async function send(request: Request): Promise<Response> {
  const whose = owner.value;
  const attempt = async (): Promise<Response> => {
    const token = await accessToken();
    // a cookie that is another user's by now opens their token, under which this was never meant
    if (whose !== "" && owner.value !== whose) throw new Error("somebody else is signed in");
    const again = new Request(request.clone(), { signal: AbortSignal.timeout(LONGEST_MS) });
    if (token !== null) again.headers.set("Authorization", `Bearer ${token}`);
    return fetch(again);
  };
  const answer = await attempt();
  if (answer.status !== 401) return answer;
  // a password or a code that is wrong is a 401, too, and none of the token's
  const problem: { code?: string } | null = await answer
    .clone()
    .json()
    .catch(() => null);
  if (!OF_THE_SESSION.has(problem?.code)) return answer;
  // a token ends with any session of its owner's; the cookie may be good still, and nothing has been done
  refused();
  return (await accessToken()) === null ? answer : attempt();
}

export const api = createClient<paths>({
  baseUrl: "/v1",
  cache: "no-store",
  credentials: "omit",
  fetch: async (request) => ofTheApi(await send(request)),
});
