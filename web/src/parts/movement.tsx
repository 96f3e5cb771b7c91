/**
 * Moving money from a form: sent under one key until it is known what came of it. Paying, adding, withdrawing and giving
 * back all go this way; what differs is what is sent and what is shown.
 */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isSignedOut, type Schemas } from "../api/client";
import { closeIntention, type Kind, keyFor, openKey, watchIntention } from "../api/intention";
import { type Answer, sendOnce } from "../api/sending";
import { accessToken, latestMs, owner } from "../api/session";
import { texts } from "../texts";
import { Confirmation } from "./confirmation";
import { Act, Note, Stage } from "./fields";
import { Slow } from "./loading";
import { sentenceFor } from "./problems";
import { Stopped, useStopped } from "./stopped";

type State<Order, Done, Earlier> =
  | { at: "looking" }
  | { at: "form"; message: string | null }
  | { at: "confirming"; order: Order; confirmation: Schemas["RequiredConfirmation"] }
  | { at: "unknown"; order: Order }
  | { at: "done"; body: Done }
  /** Made before, under the key that was left open by a tab that was closed or an answer that was lost. */
  | { at: "earlier"; body: Earlier };

export interface Movement<Order, Done, Earlier> {
  state: Signal<State<Order, Done, Earlier>>;
  isSending: Signal<boolean>;
  /** What to know before anything else is sent: an attempt of which nobody knows, or another tab's. */
  notice: Signal<"open" | "unasked" | "elsewhere" | null>;
  /** Sends it, or sends it again; does nothing while it is being sent. */
  send: (order: Order) => Promise<void>;
  /** Nothing has moved: back to the form as it was left. */
  drop: () => void;
  /** Back to an empty form, which has another key once the outcome is known. */
  anew: () => void;
}

export function useMovement<Order, Done, Earlier = never>(
  kind: Kind,
  post: (order: Order, header: { "Idempotency-Key": string }) => Promise<Answer<Done>>,
  find: ((key: string) => Promise<Earlier | null>) | null = null,
): Movement<Order, Done, Earlier> {
  const state = useSignal<State<Order, Done, Earlier>>({ at: "looking" });
  const isSending = useSignal(false);
  const mayBeUnderWay = useSignal(openKey(kind) !== null);
  const notice = useSignal<"open" | "unasked" | "elsewhere" | null>(null);
  /** What has been sent under a key is asked for under that key, whatever becomes of the browser's note of it. */
  const sent = useRef<string | null>(null);
  const reused = useRef<{ key: string; at: number } | null>(null);
  const close = (key: string) => {
    closeIntention(kind, key);
    sent.current = null;
  };

  /** Null: nobody has answered. */
  const findEarlier = async (key = openKey(kind)): Promise<boolean | null> => {
    if (key === null || find === null) return false;
    const body = await find(key).catch(() => undefined);
    if (body === undefined) return null;
    if (body === null) return false;
    close(key);
    state.value = { at: "earlier", body };
    return true;
  };
  const begin = useRef({ findEarlier, isAskable: find !== null });
  useEffect(() => {
    const { findEarlier: look, isAskable } = begin.current;
    void look().then((isThere) => {
      if (isThere) return;
      if (mayBeUnderWay.value) notice.value = isThere === null || !isAskable ? "unasked" : "open";
      state.value = { at: "form", message: null };
    });
    return watchIntention(kind, () => {
      if (state.value.at === "form" && !isSending.value) notice.value = "elsewhere";
    });
  }, [kind, state, isSending, notice, mayBeUnderWay]);

  /** Whether anything can be sent at all: who can't has sent nothing, which is worth knowing. */
  const isReady = async (): Promise<boolean> => {
    const token = navigator.onLine ? await accessToken().catch(() => undefined) : undefined;
    if (token === undefined && state.value.at !== "unknown")
      state.value = { at: "form", message: texts.value.common[navigator.onLine ? "unsent" : "offlineUnsent"] };
    // whoever is signed out is led to the sign-in, and finds the form as it was
    return typeof token === "string";
  };
  /**
   * Whether it is so long since another order was first refused under a key that no attempt of before can be at work: then
   * what has the key is done, and keeps it.
   */
  const isOld = (key: string): boolean => {
    if (reused.current?.key !== key) reused.current = { key, at: performance.now() };
    return performance.now() - reused.current.at > latestMs();
  };
  const settle = async (order: Order, whose: string): Promise<void> => {
    // while it waited somebody else may have signed in, whose money this is not about
    if (!(await isReady()) || owner.value !== whose) return;
    if (sent.current === null) {
      // the key of an attempt of another tab's, which this one takes over with all that nobody knows of it
      if (openKey(kind) !== null) mayBeUnderWay.value = true;
      sent.current = keyFor(kind);
    }
    const key = sent.current;
    const outcome = await sendOnce(async () => {
      if (owner.value !== whose) throw new Error("somebody else is signed in");
      return await post(order, { "Idempotency-Key": key });
    });
    // counted anew: this attempt can come later than those of before
    if (outcome.is === "unknown" || (outcome.is === "refused" && outcome.wasLost)) reused.current = null;
    if (outcome.is === "done") {
      close(key);
      state.value = { at: "done", body: outcome.body };
      return;
    }
    if (outcome.is === "unknown") {
      mayBeUnderWay.value = true;
      state.value = { at: "unknown", order };
      return;
    }
    const { problem } = outcome;
    // whoever signs in again goes on where they were, under the same key
    if (isSignedOut(problem)) return;
    if (problem.code === "confirmation_required" && problem.confirmation !== undefined) {
      state.value = { at: "confirming", order, confirmation: problem.confirmation };
      return;
    }
    // another order has been done under this key: it is shown, where it can be found
    const isReused = problem.code === "idempotency_key_reused";
    const isFound = isReused ? await findEarlier(key) : false;
    if (isFound) return;
    if (isFound === null) {
      state.value = { at: "form", message: texts.value.common.nobodyAnswers };
      return;
    }
    // what isn't there, or can't be looked for, may be under way still: another key would let both of them go through
    const isOver = isReused && find === null && isOld(key);
    if (outcome.wasLost || (isReused && !isOver)) mayBeUnderWay.value = true;
    if (isOver || !mayBeUnderWay.value) close(key);
    else notice.value = find === null ? "unasked" : "open";
    state.value = { at: "form", message: sentenceFor(problem, texts.value, outcome.retryAfterS) };
  };

  return {
    state,
    isSending,
    notice,
    send: async (order) => {
      if (isSending.value) return;
      isSending.value = true;
      const whose = owner.value;
      const isFirst = state.value.at === "form";
      if (isFirst) state.value = { at: "form", message: null };
      // what another tab is sending at this moment may be the very same: whoever sees both decides, and nobody else
      try {
        await navigator.locks.request(`${kind} ${whose}`, { ifAvailable: isFirst }, async (lock) => {
          if (lock === null) notice.value = "elsewhere";
          else await settle(order, whose);
        });
      } finally {
        isSending.value = false;
      }
    },
    drop: () => {
      // what is on its way can't be called back
      if (isSending.value) return;
      if (sent.current !== null && !mayBeUnderWay.value) close(sent.current);
      state.value = { at: "form", message: null };
    },
    anew: () => {
      if (isSending.value) return;
      mayBeUnderWay.value = openKey(kind) !== null;
      notice.value = mayBeUnderWay.value ? "unasked" : null;
      state.value = { at: "form", message: null };
    },
  };
}

/** The movement's state as a screen. The form stays as it is while it is sent, and comes back as it was left. */
export function Moving<Order, Done, Earlier>({
  movement,
  lead,
  confirm = texts.value.pay.confirm,
  unknown,
  form,
  done,
  earlier,
}: {
  movement: Movement<Order, Done, Earlier>;
  /** How much goes to whom, for who confirms it. */
  lead: (order: Order) => string;
  /** What is confirmed, if it is no payment. */
  confirm?: string;
  unknown: string;
  form: (message: string | null) => ComponentChildren;
  done: (body: Done) => ComponentChildren;
  earlier?: (body: Earlier) => ComponentChildren;
}) {
  const now = movement.state.value;
  const stopped = useStopped();
  // the first form is no change of anything
  return <Stage step={now.at === "looking" ? "form" : now.at}>{shown()}</Stage>;

  function shown(): ComponentChildren {
    switch (now.at) {
      case "looking":
        return (
          <p class="quiet waiting" role="status">
            {texts.value.pay.checking}
          </p>
        );
      case "form":
        return (
          <>
            {movement.notice.value && <Note warning>{texts.value.pay[movement.notice.value]}</Note>}
            {stopped ? <Stopped by={stopped} message={now.message} /> : form(now.message)}
            {movement.isSending.value && <Slow />}
          </>
        );
      case "confirming":
        return (
          <Confirmation
            key={now.confirmation.id}
            confirmation={now.confirmation}
            lead={lead(now.order)}
            title={confirm}
            isSending={movement.isSending.value}
            confirmed={() => void movement.send(now.order)}
            dropped={movement.drop}
          />
        );
      case "unknown":
        return (
          <section class="sheet">
            <Note warning>{unknown}</Note>
            <p class="lead">{lead(now.order)}</p>
            <Act first busy={movement.isSending.value} onPress={() => void movement.send(now.order)}>
              {texts.value.pay.ask}
            </Act>
          </section>
        );
      case "done":
        return done(now.body);
      case "earlier":
        return earlier?.(now.body);
    }
  }
}
