import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { inLatinDigits, readAmount, share } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Act, Field, Note, TextField } from "../parts/fields";
import { Rest } from "../parts/loading";
import { usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { MOST_PEOPLE, partOf, together, wholeOf } from "../parts/split";
import { Stopped, useStopped } from "../parts/stopped";
import { whenOf } from "../parts/times";
import { addressOf, go } from "../router";
import { texts } from "../texts";

/** Asks for money, of one or of several, and shows what was asked for. */
export function Requests() {
  const stopped = useStopped();
  const requests = usePages<Schemas["ListedPaymentRequest"]>((cursor) =>
    api.GET("/payment-requests", { params: { query: { limit: 50, ...(cursor ? { cursor } : {}) } } }),
  );
  return (
    <>
      {stopped ? <Stopped by={stopped} /> : <Ask changedList={requests.again} />}
      <section class="sheet">
        <h2>{texts.value.receive.asked}</h2>
        <ul class="rows">
          {together(requests.rows.value).map((parts) => (
            <Row key={parts[0]?.id} parts={parts} />
          ))}
        </ul>
        <Rest pages={requests} none={texts.value.requests.none} />
      </section>
    </>
  );
}

function Row({ parts }: { parts: Schemas["ListedPaymentRequest"][] }) {
  const [first] = parts;
  if (first === undefined) return null;
  const paid = parts.filter((one) => one.status === "paid").length;
  const sum = parts.reduce((total, one) => total + (one.amount ?? 0), 0);
  const what = parts.length > 1 ? wholeOf(first.description)?.what : first.description;
  const ids = parts.map((one) => one.id).reverse();
  return (
    <li>
      <a class="row" href={addressOf("request", ids.join(","))}>
        <span>{what || texts.value.screens.request}</span>
        <span class="sum">{first.amount === null ? texts.value.requests.any : rupees(sum)}</span>
        <small class="quiet">
          {parts.length > 1
            ? texts.value.requests.paidOf(paid, parts.length)
            : texts.value.requests.status[first.status]}
          {" · "}
          {whenOf(first.created_at)}
        </small>
      </a>
    </li>
  );
}

type Form = "one" | "split" | "any";
const FORMS: Form[] = ["one", "split", "any"];

function Ask({ changedList }: { changedList: () => void }) {
  const typed = useSignal("");
  const form = useSignal<Form>("one");
  const people = useSignal("2");
  const isIn = useSignal(true);
  const about = useSignal("");
  const asked = useSignal(false);
  const busy = useSignal(false);
  const message = useSignal<string | null>(null);
  /** What has been made of several so far: who tries again makes the others only. */
  const made = useSignal<string[]>([]);
  const amount = readAmount(typed.value);
  const digits = inLatinDigits(people.value).trim();
  const count = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
  const isCount = count >= 2 && count <= MOST_PEOPLE;
  const isTooLittle = isCount && typeof amount === "number" && amount < count;
  // the odd paisa is the asker's own
  const shares =
    form.value === "split" && isCount && typeof amount === "number" && !isTooLittle
      ? share(amount, count).slice(isIn.value ? 1 : 0)
      : [];

  const bodies = (): Schemas["PaymentRequestBody"][] => {
    const description = about.value.trim();
    if (form.value === "split")
      return shares.map((part, at) => ({ amount: part, description: partOf(description, at + 1, shares.length) }));
    return [
      {
        ...(form.value === "one" ? { amount: amount as number } : {}),
        ...(description ? { description } : {}),
      },
    ];
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    asked.value = true;
    const isReady = form.value === "any" || (typeof amount === "number" && (form.value === "one" || shares.length > 0));
    if (busy.value || !isReady) return;
    busy.value = true;
    message.value = null;
    for (const body of bodies().slice(made.value.length)) {
      const answer = await api.POST("/payment-requests", { body }).catch(() => null);
      if (answer?.data !== undefined) {
        made.value = [...made.value, answer.data.id];
        continue;
      }
      message.value = answer === null ? texts.value.requests.unknown : sentenceFor(answer.error, texts.value);
      // it may have been made all the same: whoever looks below sees it
      if (answer === null) changedList();
      break;
    }
    busy.value = false;
    if (message.value === null) go("request", made.value.join(","));
  };
  const changed = () => {
    made.value = [];
    message.value = null;
  };
  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <p class="quiet">{texts.value.requests.lead}</p>
      <fieldset class="choice">
        <legend>{texts.value.requests.how}</legend>
        {FORMS.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="how"
              checked={form.value === one}
              onChange={() => {
                form.value = one;
                changed();
              }}
            />
            <span>{texts.value.requests.forms[one]}</span>
          </label>
        ))}
      </fieldset>
      {form.value !== "any" && (
        <AmountField
          typed={typed.value}
          asked={asked.value}
          onText={(text) => {
            typed.value = text;
            changed();
          }}
        />
      )}
      {form.value === "split" && (
        <>
          <Field
            label={texts.value.requests.people}
            fault={
              isTooLittle
                ? texts.value.requests.tooLittle(rupees(amount), count)
                : asked.value && !isCount
                  ? texts.value.requests.peopleFault(MOST_PEOPLE)
                  : null
            }
          >
            {(attributes) => (
              <input
                {...attributes}
                type="text"
                inputMode="numeric"
                autocomplete="off"
                maxLength={2}
                value={people.value}
                onInput={(event) => {
                  people.value = event.currentTarget.value;
                  changed();
                }}
              />
            )}
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={isIn.value}
              onChange={(event) => {
                isIn.value = event.currentTarget.checked;
                changed();
              }}
            />
            {texts.value.requests.withMe}
          </label>
          {shares.length > 0 && (
            <p class="quiet" role="status">
              {texts.value.requests.each(shares.length, rupees(shares[0] ?? 0))}
            </p>
          )}
        </>
      )}
      <TextField
        label={texts.value.common.description}
        hint={texts.value.requests.descriptionHint}
        value={about.value}
        autocomplete="off"
        maxLength={190}
        onText={(text) => {
          about.value = text;
          changed();
        }}
      />
      {message.value && (
        <Note warning>
          {made.value.length > 0 && `${texts.value.requests.made(made.value.length)} `}
          {message.value}
        </Note>
      )}
      <Act first submits busy={busy.value}>
        {form.value === "split" ? texts.value.requests.submitMany : texts.value.requests.submit}
      </Act>
    </form>
  );
}
