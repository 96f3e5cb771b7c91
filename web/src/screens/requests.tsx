import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { readAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { whenOf } from "../parts/entries";
import { Act, TextField, Told } from "../parts/fields";
import { usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { addressOf, go } from "../router";
import { texts } from "../texts";

/** Asks for money, and shows what was asked for. */
export function Requests() {
  const requests = usePages<Schemas["ListedPaymentRequest"]>((cursor) =>
    api.GET("/payment-requests", { params: { query: { ...(cursor ? { cursor } : {}) } } }),
  );
  return (
    <>
      <Ask />
      <section class="sheet">
        <h2>{texts.value.receive.asked}</h2>
        <ul class="rows">
          {requests.rows.value.map((one) => (
            <li key={one.id}>
              <a class="row" href={addressOf("request", one.id)}>
                <span>{one.description ?? texts.value.screens.request}</span>
                <span class="sum">{one.amount === null ? "₹ …" : rupees(one.amount)}</span>
                <small class="quiet">
                  {texts.value.requests.status[one.status]} · {whenOf(one.created_at)}
                </small>
              </a>
            </li>
          ))}
        </ul>
        {requests.state.value === "loading" && <p class="quiet">{texts.value.common.loading}</p>}
        {requests.state.value === "lost" && <Told warning>{texts.value.common.nobodyAnswers}</Told>}
        {requests.state.value === "end" && requests.rows.value.length === 0 && (
          <p class="quiet">{texts.value.requests.none}</p>
        )}
        {(requests.state.value === "more" || requests.state.value === "lost") && (
          <Act onPress={() => void requests.more()}>{texts.value.history.more}</Act>
        )}
      </section>
    </>
  );
}

function Ask() {
  const typed = useSignal("");
  const isOpen = useSignal(false);
  const about = useSignal("");
  const asked = useSignal(false);
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const amount = readAmount(typed.value);

  const submit = async (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (busy.value || (!isOpen.value && typeof amount === "string")) return;
    busy.value = true;
    said.value = null;
    const description = about.value.trim();
    const body = {
      ...(isOpen.value ? {} : { amount: amount as number }),
      ...(description ? { description } : {}),
    };
    const told = await api.POST("/payment-requests", { body }).catch(() => null);
    busy.value = false;
    if (told === null) said.value = texts.value.common.nobodyAnswers;
    else if (told.data === undefined) said.value = sentenceFor(told.error, texts.value);
    else go("request", told.data.id);
  };
  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <p class="quiet">{texts.value.requests.lead}</p>
      {!isOpen.value && (
        <AmountField
          typed={typed.value}
          asked={asked.value}
          onText={(text) => {
            typed.value = text;
          }}
        />
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={isOpen.value}
          onChange={(event) => {
            isOpen.value = event.currentTarget.checked;
          }}
        />
        {texts.value.requests.open}
      </label>
      <TextField
        label={texts.value.common.description}
        value={about.value}
        autocomplete="off"
        maxLength={200}
        onText={(text) => {
          about.value = text;
        }}
      />
      {said.value && <Told warning>{said.value}</Told>}
      <Act first submits busy={busy.value}>
        {texts.value.requests.submit}
      </Act>
    </form>
  );
}
