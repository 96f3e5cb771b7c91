/** Confirming one movement: by a passkey that signs its payee and amount, or by a code whose message names both. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type Problem, type Schemas } from "../api/client";
import { texts } from "../texts";
import { Act, Note, TextField } from "./fields";
import { assertPasskey, knowsPasskeys } from "./passkeys";
import { sentenceFor } from "./problems";
import { PretendPhone } from "./simulator";

export function Confirmation({
  confirmation,
  lead,
  title = texts.value.pay.confirm,
  isSending = false,
  confirmed,
  dropped,
}: {
  confirmation: Schemas["RequiredConfirmation"];
  lead: string;
  title?: string;
  /** What was confirmed is on its way. */
  isSending?: boolean;
  confirmed: () => void;
  /** Somebody would rather not. */
  dropped: () => void;
}) {
  const { id, methods } = confirmation;
  const hasPasskey = methods.includes("passkey") && knowsPasskeys;
  const isAsking = useSignal(false);
  const code = useSignal("");
  const isAtWork = useSignal(false);
  const busy = isAtWork.value || isSending;
  const message = useSignal<string | null>(null);
  const isWrong = useSignal(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const path = { params: { path: { id } } };

  const refuse = (problem: Problem, isCode = false) => {
    // of one that has ended nothing can come but another, which the same order is asked for
    if (problem.code === "confirmation_ended") confirmed();
    else if (problem.code === "invalid_code" && isCode) isWrong.value = true;
    else message.value = sentenceFor(problem, texts.value);
  };
  const confirmBy = async (body: Schemas["ConfirmationBody"]) => {
    const answer = await api.POST("/confirmations/{id}", { ...path, body });
    if (answer.error === undefined) confirmed();
    else refuse(answer.error, Boolean(body.code));
  };
  const once = (work: () => Promise<void>) => async () => {
    if (isAtWork.value || isSending) return;
    isAtWork.value = true;
    message.value = null;
    isWrong.value = false;
    await work().catch(() => {
      message.value = texts.value.common.nobodyAnswers;
    });
    isAtWork.value = false;
  };
  const byPasskey = once(async () => {
    const answer = await api.POST("/confirmations/{id}/options", { ...path, body: {} });
    if (answer.data === undefined) {
      refuse(answer.error);
      return;
    }
    const signed = await assertPasskey(answer.data);
    if (signed === null) message.value = texts.value.pay.passkeyFailed;
    else await confirmBy({ passkey: signed });
  });
  const askForCode = once(async () => {
    const answer = await api.POST("/confirmations/{id}/code", { ...path, body: {} });
    if (answer.data === undefined) refuse(answer.error);
    else isAsking.value = true;
  });

  return (
    <section class="sheet">
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {lead && <p class="lead">{lead}</p>}
      {hasPasskey && (
        <Act first={!isAsking.value} busy={busy} onPress={byPasskey}>
          {texts.value.pay.byPasskey}
        </Act>
      )}
      {methods.includes("sms") && !isAsking.value && (
        <Act first={!hasPasskey} busy={busy} onPress={askForCode}>
          {texts.value.pay.byCode}
        </Act>
      )}
      {isAsking.value && (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void once(() => confirmBy({ code: code.value.trim() }))();
          }}
        >
          <p role="status">{texts.value.pay.codeSent}</p>
          <TextField
            isNext
            label={texts.value.common.code}
            hint={texts.value.common.codeHint}
            fault={isWrong.value ? texts.value.problems.invalid_code : null}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={6}
            value={code.value}
            onText={(text) => {
              code.value = text;
            }}
          />
          <PretendPhone holds="message" />
          <Act first submits busy={busy}>
            {texts.value.pay.confirmIt}
          </Act>
          <Act plain busy={busy} onPress={askForCode}>
            {texts.value.register.again}
          </Act>
        </form>
      )}
      {message.value && <Note warning>{message.value}</Note>}
      <Act plain busy={busy} onPress={dropped}>
        {texts.value.common.cancel}
      </Act>
    </section>
  );
}
