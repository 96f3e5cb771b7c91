/** Confirming one movement: by a passkey that signs its payee and amount, or by a code whose message names both. */
import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { texts } from "../texts";
import { Act, TextField, Told } from "./fields";
import { assertPasskey } from "./passkeys";
import { sentenceFor } from "./problems";

export function Confirmation({
  confirmation,
  lead,
  confirmed,
}: {
  confirmation: Schemas["RequiredConfirmation"];
  lead: string;
  confirmed: () => void;
}) {
  const { id, methods } = confirmation;
  const isAsking = useSignal(false);
  const code = useSignal("");
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const path = { params: { path: { id } } };

  const confirmBy = async (body: Schemas["ConfirmationBody"]) => {
    const told = await api.POST("/confirmations/{id}", { ...path, body });
    if (told.error === undefined) confirmed();
    else said.value = sentenceFor(told.error, texts.value);
  };
  const once = (work: () => Promise<void>) => async () => {
    if (busy.value) return;
    busy.value = true;
    said.value = null;
    await work().catch(() => {
      said.value = texts.value.common.nobodyAnswers;
    });
    busy.value = false;
  };
  const byPasskey = once(async () => {
    const told = await api.POST("/confirmations/{id}/options", { ...path, body: {} });
    if (told.data === undefined) {
      said.value = sentenceFor(told.error, texts.value);
      return;
    }
    const signed = await assertPasskey(told.data);
    if (signed === null) said.value = texts.value.pay.passkeyFailed;
    else await confirmBy({ passkey: signed });
  });
  const askForCode = once(async () => {
    const told = await api.POST("/confirmations/{id}/code", { ...path, body: {} });
    if (told.data === undefined) said.value = sentenceFor(told.error, texts.value);
    else isAsking.value = true;
  });

  return (
    <section class="sheet">
      <h2>{texts.value.pay.confirm}</h2>
      <p>
        <strong>{lead}</strong>
      </p>
      {methods.includes("passkey") && (
        <Act first busy={busy.value} onPress={byPasskey}>
          {texts.value.pay.byPasskey}
        </Act>
      )}
      {methods.includes("sms") && !isAsking.value && (
        <Act busy={busy.value} onPress={askForCode}>
          {texts.value.pay.byCode}
        </Act>
      )}
      {isAsking.value && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void once(() => confirmBy({ code: code.value.trim() }))();
          }}
        >
          <p>{texts.value.pay.codeSent}</p>
          <TextField
            label={texts.value.common.code}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={6}
            value={code.value}
            onText={(text) => {
              code.value = text;
            }}
          />
          <Act first submits busy={busy.value}>
            {texts.value.pay.confirm}
          </Act>
        </form>
      )}
      {said.value && <Told warning>{said.value}</Told>}
    </section>
  );
}
