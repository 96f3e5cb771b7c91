/**
 * Paying: whom, then how much, then what came of it. All that was typed lives in one place and dies with its payment, so
 * that the next payee never gets what was meant for this one.
 */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type Problem, type Schemas } from "../api/client";
import { readAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { whenOf } from "../parts/entries";
import { Act, TextField, Told } from "../parts/fields";
import { type Movement, Moving, useMovement } from "../parts/movement";
import { sentenceFor } from "../parts/problems";
import { type PayeeRef, readPayee } from "../payees";
import { addressOf, go, place } from "../router";
import { texts } from "../texts";

interface Whom {
  ref: PayeeRef;
  payee: Schemas["Payee"];
  /** Paise that a request asks for: not the payer's to change. */
  amount: number | null;
  description: string | null;
}

type Order = Schemas["PaymentBody"];
type Receipt = Schemas["PaymentReceipt"] | Schemas["Payment"];

const makePayment = (order: Order, header: { "Idempotency-Key": string }) =>
  api.POST("/payments", { params: { header }, body: order });

const findPayment = async (key: string): Promise<Schemas["Payment"] | null> =>
  (await api.GET("/payments", { params: { query: { key } } })).data?.data[0] ?? null;

export function Pay() {
  const whom = useSignal<Whom | null>(null);
  const typed = useSignal("");
  const about = useSignal("");
  const payment = useMovement("payment", makePayment, findPayment);

  const anew = () => {
    whom.value = null;
    typed.value = "";
    about.value = "";
    go("pay", "", { replaces: true });
    payment.anew();
  };
  return (
    <Moving
      movement={payment}
      lead={(order) => `${rupees(order.amount)} → ${whom.value?.payee.name}`}
      unknown={texts.value.pay.unknown}
      form={(said) =>
        whom.value === null ? (
          <WhomForm
            found={(one) => {
              whom.value = one;
              typed.value = one.amount === null ? "" : String(one.amount / 100);
            }}
          />
        ) : (
          <AmountForm whom={whom.value} typed={typed} about={about} payment={payment} said={said} back={anew} />
        )
      }
      done={(body) => <Paid payment={body} said={texts.value.pay.done} anew={anew} />}
      earlier={(body) => <Paid payment={body} said={texts.value.pay.earlier} anew={anew} />}
    />
  );
}

function WhomForm({ found }: { found: (whom: Whom) => void }) {
  const typed = useSignal(place.value.about);
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);

  const look = async () => {
    const ref = readPayee(typed.value);
    said.value = ref === null ? texts.value.pay.nobody : null;
    if (ref === null || busy.value) return;
    busy.value = true;
    const told = await find(ref).catch(() => null);
    busy.value = false;
    if (told === null) said.value = texts.value.common.nobodyAnswers;
    else if ("code" in told) said.value = sentenceFor(told, texts.value);
    else found(told);
  };
  // a link that was opened names its payee
  useEffect(() => {
    if (typed.value !== "") void look();
  }, []);

  return (
    <form
      class="sheet"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void look();
      }}
    >
      <TextField
        label={texts.value.pay.whom}
        hint={texts.value.pay.whomHint}
        fault={said.value}
        autocomplete="off"
        value={typed.value}
        onText={(text) => {
          typed.value = text;
        }}
      />
      <Act first submits busy={busy.value}>
        {texts.value.pay.find}
      </Act>
      <a class="button" href={addressOf("scan")}>
        {texts.value.pay.scan}
      </a>
    </form>
  );
}

/** The payee's registered name; what a code or a link says of it counts for nothing. */
async function find(ref: PayeeRef): Promise<Whom | Problem> {
  if ("payment_request" in ref) {
    const { data, error } = await api.GET("/payment-requests/{id}", { params: { path: { id: ref.payment_request } } });
    if (data === undefined) return error;
    return { ref, payee: data.to, amount: data.amount, description: data.description };
  }
  const { data, error } = await api.GET("/payees", { params: { query: ref } });
  return data === undefined ? error : { ref, payee: data, amount: null, description: null };
}

function AmountForm({
  whom,
  typed,
  about,
  payment,
  said,
  back,
}: {
  whom: Whom;
  typed: Signal<string>;
  about: Signal<string>;
  payment: Movement<Order, Schemas["PaymentReceipt"], Schemas["Payment"]>;
  said: string | null;
  back: () => void;
}) {
  const asked = useSignal(false);
  const preview = useSignal<Schemas["Preview"] | null>(null);
  const amount = whom.amount ?? readAmount(typed.value);
  const busy = payment.isSending.value;

  // what it would come to, a moment after somebody has stopped typing
  useEffect(() => {
    preview.value = null;
    if (typeof amount === "string") return;
    let isOver = false;
    const timer = setTimeout(async () => {
      const told = await api
        .GET("/payments/preview", { params: { query: { to: whom.payee.wallet_id, amount } } })
        .catch(() => null);
      if (!isOver) preview.value = told?.data ?? null;
    }, 400);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [amount, preview, whom]);

  const submit = (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (typeof amount === "string") return;
    const description = about.value.trim();
    void payment.send({ to: whom.ref, amount, ...(description ? { description } : {}) });
  };

  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <dl class="facts">
        <div class="pair">
          <dt>{texts.value.pay.to}</dt>
          <dd>
            <strong>{whom.payee.name}</strong>
            <br />
            <small class="quiet">
              {whom.payee.kind === "merchant" ? texts.value.pay.shop : texts.value.pay.person}
            </small>
          </dd>
        </div>
        {whom.description !== null && (
          <div class="pair">
            <dt>{texts.value.screens.request}</dt>
            <dd>{whom.description}</dd>
          </div>
        )}
      </dl>
      {whom.amount === null ? (
        <AmountField
          typed={typed.value}
          asked={asked.value}
          onText={(text) => {
            typed.value = text;
          }}
        />
      ) : (
        <p class="balance">{rupees(whom.amount)}</p>
      )}
      <TextField
        label={texts.value.common.description}
        value={about.value}
        autocomplete="off"
        maxLength={200}
        onText={(text) => {
          about.value = text;
        }}
      />
      {preview.value !== null && <Comes preview={preview.value} />}
      {said && <Told warning>{said}</Told>}
      <Act first submits busy={busy}>
        {busy
          ? texts.value.pay.sending
          : typeof amount === "number"
            ? texts.value.pay.submit(rupees(amount))
            : texts.value.screens.pay}
      </Act>
      <Act onPress={back}>{texts.value.common.back}</Act>
    </form>
  );
}

function Comes({ preview }: { preview: Schemas["Preview"] }) {
  const rows: [string, string][] = [
    [texts.value.pay.fee, rupees(preview.fee)],
    [texts.value.pay.total, rupees(preview.total)],
    ...(preview.available_after >= 0
      ? [[texts.value.pay.after, rupees(preview.available_after)] as [string, string]]
      : []),
  ];
  return (
    <>
      <dl class="facts" aria-live="polite">
        {rows.map(([name, value]) => (
          <div key={name} class="pair">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {preview.available_after < 0 && (
        <Told warning>{texts.value.pay.tooLittle(rupees(-preview.available_after))}</Told>
      )}
    </>
  );
}

function Paid({ payment, said, anew }: { payment: Receipt; said: string; anew: () => void }) {
  const rows: [string, string | null][] = [
    [texts.value.pay.to, payment.to.name],
    [texts.value.pay.when, whenOf(payment.created_at)],
    [texts.value.common.description, payment.description],
    [texts.value.add.ours, payment.id],
  ];
  return (
    <section class="sheet">
      <Told>{said}</Told>
      <p class="balance">{rupees(payment.amount)}</p>
      <dl class="facts">
        {rows.map(
          ([name, value]) =>
            value !== null && (
              <div key={name} class="pair">
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <a class="button" href={addressOf("entry", payment.transaction_id)}>
        {texts.value.pay.receipt}
      </a>
      <Act onPress={anew}>{texts.value.pay.another}</Act>
    </section>
  );
}
