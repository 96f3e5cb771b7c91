/** Shows that a phone is one's own: a code is sent to it, and what comes of the code is good for one purpose. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type Schemas } from "../api/client";
import { readPhone } from "../payees";
import { texts } from "../texts";
import { Act, Stage, TextField, Told } from "./fields";
import { faultOf, howLong, sentenceFor } from "./problems";
import { PretendPhone } from "./simulator";

export interface Proved {
  phone: string;
  proof: string;
}

export function PhoneProof({
  purpose,
  lead,
  known = "",
  proved,
}: {
  purpose: Schemas["Purpose"];
  lead: string;
  /** The phone, where it is known already. */
  known?: string;
  proved: (what: Proved) => void;
}) {
  const phone = useSignal(known);
  const asked = useSignal(false);
  const sent = useSignal<Schemas["SentCode"] | null>(null);
  const code = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<Schemas["Problem"] | null>(null);
  const isLost = useSignal(false);
  const waitS = useSignal(0);

  useEffect(() => {
    const timer = setInterval(() => {
      if (waitS.value > 0) waitS.value -= 1;
    }, 1000);
    return () => clearInterval(timer);
  }, [waitS]);

  const once = (work: () => Promise<void>) => async (event?: Event) => {
    event?.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    isLost.value = false;
    await work().catch(() => {
      isLost.value = true;
    });
    busy.value = false;
  };
  const full = readPhone(phone.value);
  const sendCode = once(async () => {
    asked.value = true;
    if (full === null) return;
    const { data, error } = await api.POST("/phone-proofs", { body: { phone: full, purpose } });
    if (data === undefined) {
      problem.value = error;
      return;
    }
    sent.value = data;
    waitS.value = data.resend_after_s;
    code.value = "";
  });
  const prove = once(async () => {
    if (sent.value === null || full === null) return;
    const path = { id: sent.value.id };
    const told = await api.POST("/phone-proofs/{id}", { params: { path }, body: { code: code.value.trim() } });
    if (told.data === undefined) problem.value = told.error;
    else proved({ phone: full, proof: told.data.phone_proof });
  });
  const isWrongCode = problem.value?.code === "invalid_code";
  const said = isLost.value
    ? texts.value.common.nobodyAnswers
    : problem.value && !isWrongCode && !problem.value.errors?.length && sentenceFor(problem.value, texts.value);

  return (
    <Stage step={sent.value === null ? "phone" : "code"}>
      {sent.value === null ? (
        <form class="sheet" onSubmit={sendCode} noValidate>
          <p class="quiet">{lead}</p>
          <TextField
            label={texts.value.common.phone}
            hint={texts.value.common.phoneHint}
            fault={
              asked.value && full === null ? texts.value.faults.phone : faultOf(problem.value, "phone", texts.value)
            }
            kind="tel"
            inputMode="tel"
            autocomplete="tel"
            value={phone.value}
            onText={(text) => {
              phone.value = text;
              asked.value = false;
            }}
          />
          {said && <Told warning>{said}</Told>}
          <Act first submits busy={busy.value}>
            {texts.value.register.send}
          </Act>
        </form>
      ) : (
        <form class="sheet" onSubmit={prove} noValidate>
          <p role="status">{texts.value.register.sent(full ?? phone.value)}</p>
          <PretendPhone holds="message" />
          <TextField
            isNext
            label={texts.value.common.code}
            hint={texts.value.common.codeHint}
            fault={isWrongCode ? texts.value.problems.invalid_code : faultOf(problem.value, "code", texts.value)}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={6}
            value={code.value}
            onText={(text) => {
              code.value = text;
            }}
          />
          {said && <Told warning>{said}</Told>}
          <Act first submits busy={busy.value}>
            {texts.value.common.next}
          </Act>
          {waitS.value > 0 ? (
            <p class="quiet">{texts.value.register.againIn(howLong(waitS.value, texts.value))}</p>
          ) : (
            <Act plain busy={busy.value} onPress={() => void sendCode()}>
              {texts.value.register.again}
            </Act>
          )}
          <Act
            plain
            onPress={() => {
              sent.value = null;
              problem.value = null;
            }}
          >
            {texts.value.register.otherPhone}
          </Act>
        </form>
      )}
    </Stage>
  );
}
