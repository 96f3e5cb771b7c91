/**
 * The browser's session: a cookie that no script reads opens access tokens of a few minutes, and those live in this
 * module's memory alone.
 */
import { signal } from "@preact/signals-core";
import { store, stored } from "../storage";
import { ofTheApi } from "./answers";

const PATH = "/v1/session";
/** The API's own limit is 29 s: what is older than this will not be answered any more. */
export const LONGEST_MS = 35_000;
/** Asked for by other sites this header costs a preflight, which fails. */
const OWN: HeadersInit = { "X-Wallet": "1", "Content-Type": "application/json" };
/** So many seconds before its end a token is not used any more. */
const MARGIN_S = 20;
/** So long a form that was begun waits behind the sign-in for its owner. */
const FORM_WAITS_MS = 10 * 60_000;

/** So long whoever signs in next waits for the end of the session before. */
const END_MS = 10_000;
/** Kept while a session that was signed out of may be open still, for want of an answer. */
const OWED = "sign out";

/** Behind the idle end of a session, which is half an hour: who asks then learns whether it is over. */
const IDLE_END_MS = 31 * 60_000;

/** `ended`: by time or from elsewhere while somebody was at work here, who may sign in again and go on. */
export type Standing = "unknown" | "signed_in" | "ended" | "signed_out";

export const standing = signal<Standing>("unknown");
/** Whether it is unknown for want of an answer. */
export const isUnanswered = signal(false);
/** The user's id; empty as long as nobody has signed in. What belongs to one is never shown to another. */
export const owner = signal("");

let token = "";
let endsAt = 0;
/** As it was said of the latest token. */
let lifeS = 300;
/** The same as the mark `OWED`, for a browser that has a cookie and no room for a mark. */
let isOwedHere = false;
/** Raised by each sign-in and each end: what was asked for before it is no answer any more. */
let turn = 0;
let looking: ReturnType<typeof setTimeout> | undefined;
let waiting: ReturnType<typeof setTimeout> | undefined;
const others = new BroadcastChannel("session");

others.onmessage = ({ data }: MessageEvent<"in" | "out">) => {
  if (data === "out") forget();
  // the cookie is another one, perhaps another user's: what is shown here is asked for anew with it
  else {
    isOwedHere = false;
    turn += 1;
    void resume();
  }
};

/** Looks whether a cookie opens a session. */
export async function resume(): Promise<void> {
  isUnanswered.value = false;
  refused();
  if (isOwed()) {
    await endCookie();
    if (isOwed()) {
      forget();
      return;
    }
  }
  await renew().catch(() => {
    isUnanswered.value = standing.value === "unknown";
  });
}

/** A token that is good for some seconds still; null for who is signed out. Throws where nobody answers. */
export async function accessToken(): Promise<string | null> {
  if (performance.now() < endsAt) return token;
  return standing.value === "signed_out" || standing.value === "ended" ? null : renew();
}

async function renew(): Promise<string | null> {
  // of several tabs, and of several requests in one, one asks
  return await navigator.locks.request("session", async () => {
    if (performance.now() < endsAt) return token;
    const asked = turn;
    const signal = AbortSignal.timeout(LONGEST_MS);
    const answer = await ofTheApi(await fetch(`${PATH}/token`, { method: "POST", headers: OWN, body: "{}", signal }));
    if (turn !== asked) return null;
    if (answer.status === 401) {
      void answer.body?.cancel(); // unread it would keep its connection
      end();
      return null;
    }
    if (!answer.ok) throw new Error(`no token: ${answer.status}`);
    const issued = await answer.json();
    return turn === asked ? keep(issued) : null;
  });
}

/** Signs in; the answer is for the form, which says what was wrong. */
export async function signIn(shown: { phone: string; password: string; phone_proof?: string }): Promise<Response> {
  // an end that is answered late, in any tab, would take the new cookie away: one of the two at a time
  return await navigator.locks.request(OWED, async () => {
    const signal = AbortSignal.timeout(LONGEST_MS);
    const body = JSON.stringify(shown);
    const answer = await ofTheApi(await fetch(PATH, { method: "POST", headers: OWN, body, signal }));
    if (answer.ok) {
      turn += 1;
      keep(await answer.clone().json());
      noteOwed(false);
      others.postMessage("in");
    }
    return answer;
  });
}

/**
 * Ends the session here and in every tab; whatever the network does, nothing is shown from now on. Where nobody has
 * answered the cookie is there still: the next visit begins with ending it.
 */
export function signOut(): void {
  forget();
  noteOwed(true);
  others.postMessage("out");
  void endCookie();
}

/** Sent even if the page is closed meanwhile; not once somebody has signed in, whose cookie it would be. */
async function endCookie(): Promise<void> {
  await navigator.locks.request(OWED, async () => {
    if (!isOwed()) return;
    const signal = AbortSignal.timeout(END_MS);
    const sent = fetch(PATH, { method: "DELETE", headers: OWN, keepalive: true, signal });
    const answer = await sent.then(ofTheApi).catch(() => null);
    // 401: there was none to end
    if (answer?.ok || answer?.status === 401) noteOwed(false);
  });
}

const isOwed = (): boolean => isOwedHere || stored(OWED) !== null;

function noteOwed(is: boolean): void {
  isOwedHere = is;
  store(OWED, is ? "yes" : null);
}

/**
 * So long what nobody waits for any more can be at work: it is taken in as long as its token is good, and has come to its end
 * within another minute.
 */
export const latestMs = (): number => (lifeS + 60) * 1000;

/** The token was refused: another session's end has ended it, and perhaps this one. */
export function refused(): void {
  endsAt = 0;
}

function keep(issued: { access_token: string; expires_in: number }): string {
  clearTimeout(waiting);
  // nothing has asked for another token since: who left the screen as it is must not leave it open
  clearTimeout(looking);
  looking = setTimeout(() => void resume(), IDLE_END_MS);
  token = issued.access_token;
  lifeS = issued.expires_in;
  endsAt = performance.now() + (issued.expires_in - MARGIN_S) * 1000;
  owner.value = subjectOf(token);
  standing.value = "signed_in";
  return token;
}

function end(): void {
  token = "";
  endsAt = 0;
  if (standing.value === "ended") return;
  standing.value = standing.value === "signed_in" ? "ended" : "signed_out";
  if (standing.value === "ended") waiting = setTimeout(forget, FORM_WAITS_MS);
}

function forget(): void {
  clearTimeout(waiting);
  turn += 1;
  token = "";
  endsAt = 0;
  owner.value = "";
  standing.value = "signed_out";
}

/** Whose token it is. Nothing is allowed on the strength of it: it only keeps what belongs to two people apart. */
function subjectOf(jwt: string): string {
  try {
    const claims = atob((jwt.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"));
    return String(JSON.parse(claims).sub);
  } catch {
    return "";
  }
}
