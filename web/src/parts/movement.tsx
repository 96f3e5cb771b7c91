/**
 * Moving money from a form: sent under one key until it is known what came of it. Paying, adding, withdrawing and giving
 * back all go this way; what differs is what is sent and what is shown.
 */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";
import { closeIntention, type Kind, keyFor, openKey } from "../api/intention";
import { sendOnce, type Told } from "../api/sending";
import { texts } from "../texts";
import { Confirmation } from "./confirmation";
import { Act, Told as Said } from "./fields";
import { sentenceFor } from "./problems";

type State<Order, Done, Earlier> =
  | { at: "looking" }
  | { at: "form"; said: string | null }
  | { at: "confirming"; order: Order; confirmation: Schemas["RequiredConfirmation"] }
  | { at: "unknown"; order: Order }
  | { at: "done"; body: Done }
  /** Made before, under the key that was left open by a tab that was closed or an answer that was lost. */
  | { at: "earlier"; body: Earlier };

export interface Movement<Order, Done, Earlier> {
  state: Signal<State<Order, Done, Earlier>>;
  isSending: Signal<boolean>;
  /** Sends it, or sends it again; does nothing while it is being sent. */
  send: (order: Order) => Promise<void>;
  /** Back to an empty form, which has another key once the outcome is known. */
  anew: () => void;
}

export function useMovement<Order, Done, Earlier = never>(
  kind: Kind,
  post: (order: Order, header: { "Idempotency-Key": string }) => Promise<Told<Done>>,
  find: ((key: string) => Promise<Earlier | null>) | null = null,
): Movement<Order, Done, Earlier> {
  const state = useSignal<State<Order, Done, Earlier>>({ at: "looking" });
  const isSending = useSignal(false);
  const mayBeUnderWay = useSignal(openKey(kind) !== null);

  const findEarlier = async (): Promise<boolean> => {
    const key = openKey(kind);
    const body = key === null || find === null ? null : await find(key).catch(() => null);
    if (body === null) return false;
    closeIntention(kind);
    state.value = { at: "earlier", body };
    return true;
  };
  useEffect(() => {
    void findEarlier().then((isThere) => {
      if (!isThere) state.value = { at: "form", said: null };
    });
  }, []);

  const settle = async (order: Order): Promise<void> => {
    const header = { "Idempotency-Key": keyFor(kind) };
    const outcome = await sendOnce(() => post(order, header));
    if (outcome.is === "done") {
      closeIntention(kind);
      state.value = { at: "done", body: outcome.body };
      return;
    }
    if (outcome.is === "unknown") {
      mayBeUnderWay.value = true;
      state.value = { at: "unknown", order };
      return;
    }
    const { problem } = outcome;
    if (problem.code === "confirmation_required" && problem.confirmation !== undefined) {
      state.value = { at: "confirming", order, confirmation: problem.confirmation };
      return;
    }
    // another order has been done under this key: it is shown, where it can be found
    const isReused = problem.code === "idempotency_key_reused";
    if (isReused && (await findEarlier())) return;
    if (isReused || !mayBeUnderWay.value) closeIntention(kind);
    state.value = { at: "form", said: sentenceFor(problem, texts.value, outcome.retryAfterS) };
  };

  return {
    state,
    isSending,
    send: async (order) => {
      if (isSending.value) return;
      isSending.value = true;
      if (state.value.at === "form") state.value = { at: "form", said: null };
      await settle(order);
      isSending.value = false;
    },
    anew: () => {
      mayBeUnderWay.value = openKey(kind) !== null;
      state.value = { at: "form", said: null };
    },
  };
}

/** The movement's state as a screen. The form stays as it is while it is sent, and comes back as it was left. */
export function Moving<Order, Done, Earlier>({
  movement,
  lead,
  unknown,
  form,
  done,
  earlier,
}: {
  movement: Movement<Order, Done, Earlier>;
  /** How much goes to whom, for who confirms it. */
  lead: (order: Order) => string;
  unknown: string;
  form: (said: string | null) => ComponentChildren;
  done: (body: Done) => ComponentChildren;
  earlier?: (body: Earlier) => ComponentChildren;
}) {
  const now = movement.state.value;
  switch (now.at) {
    case "looking":
      return <p class="quiet">{texts.value.pay.checking}</p>;
    case "form":
      return <>{form(now.said)}</>;
    case "confirming":
      return (
        <Confirmation
          confirmation={now.confirmation}
          lead={lead(now.order)}
          confirmed={() => void movement.send(now.order)}
        />
      );
    case "unknown":
      return (
        <section class="sheet">
          <Said warning>{unknown}</Said>
          <p>{lead(now.order)}</p>
          <Act first busy={movement.isSending.value} onPress={() => void movement.send(now.order)}>
            {texts.value.pay.ask}
          </Act>
        </section>
      );
    case "done":
      return <>{done(now.body)}</>;
    case "earlier":
      return <>{earlier?.(now.body)}</>;
  }
}
