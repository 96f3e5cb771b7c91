import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { readAmount, writeAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Copy } from "../parts/copy";
import { otherSide } from "../parts/entries";
import { Facts } from "../parts/facts";
import { Act, Note, TextField } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { Moving, useMovement } from "../parts/movement";
import { Receipt } from "../parts/receipt";
import { whenOf } from "../parts/times";
import { addressOf, place } from "../router";
import { texts } from "../texts";

/** One entry: what it was, what it belongs to, and the numbers that a bank asks for. */
export function Entry() {
  const id = place.value.about;
  const [entry, again] = useLoaded(() => api.GET("/wallet/transactions/{id}", { params: { path: { id } } }), {
    about: id,
  });
  return (
    <WhenLoaded loaded={entry.value} again={again}>
      {(one) => (
        <>
          <section class="sheet">
            <p class="balance">
              {one.direction === "credit" ? "+" : "−"}
              {rupees(one.amount)}
            </p>
            <Facts
              rows={[
                [texts.value.history.type, texts.value.entries[one.type]],
                [one.direction === "credit" ? texts.value.entries.in : texts.value.pay.to, otherSide(one) || null],
                [texts.value.pay.when, whenOf(one.created_at)],
                [texts.value.common.what, one.description],
                [texts.value.entry.balanceAfter, rupees(one.balance_after)],
              ]}
            />
          </section>
          <Numbers entry={one} />
          <Receipt transactionId={one.id} />
          <Belonging entry={one} />
        </>
      )}
    </WhenLoaded>
  );
}

/** What a bank, our support or the other side asks for, each to be copied by itself. */
function Numbers({ entry }: { entry: Schemas["WholeEntry"] }) {
  const say = texts.value.entry;
  const numbers: [string, string | null][] = [
    [texts.value.add.rrn, entry.rrn],
    [say.utr, entry.utr],
    [say.reference, entry.reference],
    // a name can change, and somebody else can have the same
    [say.theirNumber, "wallet_id" in entry.counterparty ? entry.counterparty.wallet_id : null],
    [say.number, entry.id],
  ];
  return (
    <section class="sheet">
      <h2>{say.references}</h2>
      <ul class="rows">
        {numbers.map(
          ([name, number]) =>
            number !== null && (
              <li key={name} class="row still">
                <span>
                  {name}
                  <br />
                  <span class="number">{number}</span>
                </span>
                <Copy text={number} of={name} />
              </li>
            ),
        )}
      </ul>
    </section>
  );
}

/** The ways to what it belongs to, and back to the payment from what came of one. */
function Belonging({ entry }: { entry: Schemas["WholeEntry"] }) {
  const paymentId = entry.payment_id ?? entry.refund_of;
  const isAsked = entry.direction === "credit" && entry.reference?.startsWith("prq_");
  return (
    <>
      {entry.top_up_id && <a href={addressOf("top-up", entry.top_up_id)}>{texts.value.entry.topUp}</a>}
      {entry.withdrawal_id && (
        <a href={addressOf("withdrawal", entry.withdrawal_id)}>{texts.value.screens.withdrawal}</a>
      )}
      {entry.hold_id && <a href={addressOf("holds")}>{texts.value.screens.holds}</a>}
      {isAsked && <a href={addressOf("request", entry.reference ?? "")}>{texts.value.entry.request}</a>}
      {paymentId && <OfPayment paymentId={paymentId} entry={entry} />}
    </>
  );
}

/** What has come of the payment; its payee gives some of it back here, or all that is left of it. */
function OfPayment({ paymentId, entry }: { paymentId: string; entry: Schemas["WholeEntry"] }) {
  const path = { id: paymentId };
  const [payment, again] = useLoaded(() => api.GET("/payments/{id}", { params: { path } }), { about: paymentId });
  return (
    <WhenLoaded loaded={payment.value} again={again}>
      {(one) => {
        if (one.transaction_id !== entry.id)
          return <a href={addressOf("entry", one.transaction_id)}>{texts.value.entry.payment}</a>;
        const left = one.amount - one.refunded;
        return (
          <>
            {one.refunded > 0 && <p role="status">{texts.value.entry.refundedSoFar(rupees(one.refunded))}</p>}
            {entry.direction === "credit" && left > 0 && <RefundForm paymentId={paymentId} left={left} />}
          </>
        );
      }}
    </WhenLoaded>
  );
}

function RefundForm({ paymentId, left }: { paymentId: string; left: number }) {
  const typed = useSignal(writeAmount(left));
  const reason = useSignal("");
  const asked = useSignal(false);
  const refund = useMovement<Schemas["RefundBody"] & { amount: number }, Schemas["Refund"]>(
    `refund ${paymentId}`,
    (body, header) => api.POST("/payments/{id}/refunds", { params: { path: { id: paymentId }, header }, body }),
  );
  const amount = readAmount(typed.value);
  return (
    <details class="sheet">
      <summary>{texts.value.entry.refund}</summary>
      <Moving
        movement={refund}
        lead={(order) => rupees(order.amount)}
        unknown={texts.value.entry.unknown}
        form={(message) => (
          <form
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              asked.value = true;
              const why = reason.value.trim();
              if (typeof amount === "number") void refund.send({ amount, ...(why ? { reason: why } : {}) });
            }}
          >
            <p class="quiet">{texts.value.entry.refundHint(rupees(left))}</p>
            <AmountField
              typed={typed.value}
              asked={asked.value}
              onText={(text) => {
                typed.value = text;
              }}
            />
            <TextField
              label={texts.value.entry.reason}
              value={reason.value}
              autocomplete="off"
              maxLength={200}
              onText={(text) => {
                reason.value = text;
              }}
            />
            {message && <Note warning>{message}</Note>}
            <Act first submits busy={refund.isSending.value}>
              {typeof amount === "number" ? texts.value.entry.refundSubmit(rupees(amount)) : texts.value.entry.refund}
            </Act>
          </form>
        )}
        done={(body) => (
          <Note>
            {texts.value.entry.refunded}: {rupees(body.amount)}
          </Note>
        )}
      />
    </details>
  );
}
