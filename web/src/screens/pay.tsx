/**
 * Paying: whom, then how much, then what came of it. All that was typed lives in one place and dies with its payment, so
 * that the next payee never gets what was meant for this one.
 */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type Problem, type Schemas } from "../api/client";
import { onlyOne } from "../api/sending";
import { readAmount, writeAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Comes } from "../parts/comes";
import { Facts } from "../parts/facts";
import { Act, Note, Stage, TextField } from "../parts/fields";
import { Icon } from "../parts/icons";
import { type Movement, Moving, useMovement } from "../parts/movement";
import { usePreview } from "../parts/preview";
import { sentenceFor } from "../parts/problems";
import { whenOf } from "../parts/times";
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

/** With the name that was shown: whoever confirms it, or doesn't know of it, reads that and no later one. */
interface Order {
  body: Schemas["PaymentBody"];
  name: string;
}
type Receipt = Schemas["PaymentReceipt"] | Schemas["Payment"];

const makePayment = (order: Order, header: { "Idempotency-Key": string }) =>
  api.POST("/payments", { params: { header }, body: order.body });

const findPayment = async (key: string): Promise<Schemas["Payment"] | null> =>
  onlyOne(await api.GET("/payments", { params: { query: { key } } }));

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
      lead={({ body, name }) => `${rupees(body.amount)} → ${name}`}
      unknown={texts.value.pay.unknown}
      form={(message) => (
        <Stage step={whom.value === null ? "whom" : "amount"}>
          {whom.value === null ? (
            <WhomForm
              found={(one) => {
                whom.value = one;
                typed.value = one.amount === null ? "" : writeAmount(one.amount);
              }}
            />
          ) : (
            <AmountForm whom={whom.value} typed={typed} about={about} payment={payment} message={message} back={anew} />
          )}
        </Stage>
      )}
      done={(body) => <Paid payment={body} message={texts.value.pay.done} anew={anew} />}
      earlier={(body) => <Paid payment={body} message={texts.value.pay.earlier} anew={anew} />}
    />
  );
}

function WhomForm({ found }: { found: (whom: Whom) => void }) {
  const typed = useSignal(place.value.about);
  const busy = useSignal(false);
  const message = useSignal<string | null>(null);

  const look = async () => {
    const ref = readPayee(typed.value);
    const missing = typed.value.trim() === "" ? texts.value.pay.whomHint : texts.value.pay.nobody;
    message.value = ref === null ? missing : null;
    if (ref === null || busy.value) return;
    busy.value = true;
    const answer = await find(ref).catch(() => null);
    busy.value = false;
    if (answer === null) message.value = texts.value.common.nobodyAnswers;
    else if ("code" in answer) message.value = sentenceFor(answer, texts.value);
    else found(answer);
  };
  // a link that was opened names its payee
  const opened = useRef(typed.value === "" ? null : look);
  useEffect(() => void opened.current?.(), []);

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
        hint={message.value === texts.value.pay.whomHint ? undefined : texts.value.pay.whomHint}
        fault={message.value}
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
        <Icon sign="scan" />
        {texts.value.pay.scan}
      </a>
    </form>
  );
}

/** The payee's registered name; what a code or a link says of it counts for nothing. */
async function find(ref: PayeeRef): Promise<Whom | Pick<Problem, "code">> {
  if ("payment_request" in ref) {
    const { data, error } = await api.GET("/payment-requests/{id}", { params: { path: { id: ref.payment_request } } });
    if (data === undefined) return error;
    if (data.status !== "open") return { code: "payment_request_ended" };
    return { ref, payee: data.to, amount: data.amount, description: data.description };
  }
  const { data, error } = await api.GET("/payees", { params: { query: ref } });
  return data === undefined ? error : { ref, payee: data, amount: null, description: null };
}

const askAhead = (query: { to: string; amount: number }) => api.GET("/payments/preview", { params: { query } });

function AmountForm({
  whom,
  typed,
  about,
  payment,
  message,
  back,
}: {
  whom: Whom;
  typed: Signal<string>;
  about: Signal<string>;
  payment: Movement<Order, Schemas["PaymentReceipt"], Schemas["Payment"]>;
  message: string | null;
  back: () => void;
}) {
  const asked = useSignal(false);
  const amount = whom.amount ?? readAmount(typed.value);
  const busy = payment.isSending.value;

  const preview = usePreview(typeof amount === "number" ? { to: whom.payee.wallet_id, amount } : null, askAhead);

  const submit = (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (typeof amount === "string") return;
    const description = about.value.trim();
    // who is paid is who was shown, whoever has the phone by now
    const to = "payment_request" in whom.ref ? whom.ref : { wallet_id: whom.payee.wallet_id };
    const body = { to, amount, ...(description ? { description } : {}) };
    void payment.send({ body, name: whom.payee.name });
  };

  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <div class="payee">
        <small class="quiet">{texts.value.pay.to}</small>
        <strong>{whom.payee.name}</strong>
        <span class="badge">{whom.payee.kind === "merchant" ? texts.value.pay.shop : texts.value.pay.person}</span>
      </div>
      {whom.amount === null && <p class="quiet">{texts.value.pay.checkName}</p>}
      {"payment_request" in whom.ref && <p class="quiet">{texts.value.pay.asksYou}</p>}
      {whom.description !== null && <Facts rows={[[texts.value.pay.theirWords, whom.description]]} />}
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
      <Comes preview={preview.value} />
      {message && <Note warning>{message}</Note>}
      <Act first submits busy={busy}>
        {busy
          ? texts.value.pay.sending
          : typeof amount === "number"
            ? texts.value.pay.submit(rupees(amount))
            : texts.value.screens.pay}
      </Act>
      <Act plain busy={busy} onPress={back}>
        {texts.value.pay.other}
      </Act>
    </form>
  );
}

function Paid({ payment, message, anew }: { payment: Receipt; message: string; anew: () => void }) {
  return (
    <section class="sheet">
      <Note>{message}</Note>
      <p class="balance">{rupees(payment.amount)}</p>
      <Facts
        rows={[
          [texts.value.pay.to, payment.to.name],
          [texts.value.pay.when, whenOf(payment.created_at)],
          [texts.value.common.what, payment.description],
          [texts.value.pay.number, payment.id],
        ]}
      />
      <a class="button first" href={addressOf("entry", payment.transaction_id)}>
        {texts.value.pay.receipt}
      </a>
      <a class="button" href={addressOf("")}>
        {texts.value.common.toHome}
      </a>
      <Act plain onPress={anew}>
        {texts.value.pay.another}
      </Act>
    </section>
  );
}
