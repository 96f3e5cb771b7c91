/**
 * The browser's session: a cookie that no script reads opens access tokens of a few minutes, and those live in this
 * module's memory alone.
 */
import { signal } from "@preact/signals";

const PATH = "/v1/session";
/** Asked for by other sites this header costs a preflight, which fails. */
const OWN: HeadersInit = { "X-Wallet": "1", "Content-Type": "application/json" };
/** So many seconds before its end a token is not used any more. */
const MARGIN_S = 20;

export type Standing = "unknown" | "signed_in" | "signed_out";

export const standing = signal<Standing>("unknown");

let token = "";
let endsAt = 0;
const others = new BroadcastChannel("session");

others.onmessage = () => forget();

/** A token that is good for some seconds still; null for who is signed out. Throws where nobody answers. */
export async function accessToken(): Promise<string | null> {
  if (performance.now() < endsAt) return token;
  // of several tabs, and of several requests in one, one asks
  return navigator.locks.request("session", async () => {
    if (performance.now() < endsAt) return token;
    const answer = await fetch(`${PATH}/token`, { method: "POST", headers: OWN, body: "{}" });
    if (answer.status === 401) {
      forget();
      return null;
    }
    if (!answer.ok) throw new Error(`no token: ${answer.status}`);
    return keep(await answer.json());
  });
}

/** Signs in; the answer is for the form, which says what was wrong. */
export async function signIn(shown: { phone: string; password: string; phone_proof?: string }): Promise<Response> {
  const answer = await fetch(PATH, { method: "POST", headers: OWN, body: JSON.stringify(shown) });
  if (answer.ok) keep(await answer.clone().json());
  return answer;
}

/** Ends the session here and in every tab; whatever the network does, nothing is shown from now on. */
export async function signOut(): Promise<void> {
  forgetEverywhere();
  await fetch(PATH, { method: "DELETE", headers: OWN }).catch(() => undefined);
}

/** Every session has been ended: nothing is shown in any tab from now on. */
export function forgetEverywhere(): void {
  forget();
  others.postMessage("signed out");
}

/** The token was refused: another session's end has ended it. */
export function refused(): void {
  endsAt = 0;
}

function keep(told: { access_token: string; expires_in: number }): string {
  token = told.access_token;
  endsAt = performance.now() + (told.expires_in - MARGIN_S) * 1000;
  standing.value = "signed_in";
  return token;
}

function forget(): void {
  token = "";
  endsAt = 0;
  standing.value = "signed_out";
}
