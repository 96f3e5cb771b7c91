import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { readAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Copy } from "../parts/copy";
import { otherSide } from "../parts/entries";
import { Facts } from "../parts/facts";
import { Act, TextField, Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
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
    <Shown loaded={entry.value} again={again}>
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
          <section class="sheet">
            <h2>{texts.value.entry.references}</h2>
            <Facts
              rows={[
                [texts.value.add.rrn, one.rrn],
                [texts.value.entry.utr, one.utr],
                [texts.value.entry.reference, one.reference],
                [texts.value.add.ours, one.id],
              ]}
            />
            <Copy text={one.rrn ?? one.utr ?? one.id} />
          </section>
          <Receipt transactionId={one.id} />
          {one.top_up_id && <a href={addressOf("top-up", one.top_up_id)}>{texts.value.screens["top-up"]}</a>}
          {one.withdrawal_id && (
            <a href={addressOf("withdrawal", one.withdrawal_id)}>{texts.value.screens.withdrawal}</a>
          )}
          {one.payment_id && one.direction === "credit" && <Refund paymentId={one.payment_id} />}
        </>
      )}
    </Shown>
  );
}

/** The payee of a payment gives some of it back, or all that is left of it. */
function Refund({ paymentId }: { paymentId: string }) {
  const path = { id: paymentId };
  const [payment, again] = useLoaded(() => api.GET("/payments/{id}", { params: { path } }), { about: paymentId });
  return (
    <Shown loaded={payment.value} again={again}>
      {(one) => {
        const left = one.amount - one.refunded;
        return left > 0 ? <RefundForm paymentId={paymentId} left={left} /> : <p>{texts.value.entry.refunded}</p>;
      }}
    </Shown>
  );
}

function RefundForm({ paymentId, left }: { paymentId: string; left: number }) {
  const typed = useSignal(String(left / 100));
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
        form={(said) => (
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
            {said && <Told warning>{said}</Told>}
            <Act first submits busy={refund.isSending.value}>
              {typeof amount === "number" ? texts.value.entry.refundSubmit(rupees(amount)) : texts.value.entry.refund}
            </Act>
          </form>
        )}
        done={(body) => (
          <Told>
            {texts.value.entry.refunded}: {rupees(body.amount)}
          </Told>
        )}
      />
    </details>
  );
}
