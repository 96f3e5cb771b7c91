/** Shows that a phone is one's own: a code is sent to it, and what comes of the code is good for one purpose. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type Schemas } from "../api/client";
import { readPhone, showPhone } from "../payees";
import { texts } from "../texts";
import { Act, Stage, TextField } from "./fields";
import { howLong } from "./problems";
import { PretendPhone } from "./simulator";
import { useWork } from "./work";

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
  const work = useWork();
  const waitS = useSignal(0);

  useEffect(() => {
    const timer = setInterval(() => {
      if (waitS.value > 0) waitS.value -= 1;
    }, 1000);
    return () => clearInterval(timer);
  }, [waitS]);

  const full = readPhone(phone.value);
  const sendCode = (event?: Event) => {
    event?.preventDefault();
    asked.value = true;
    if (full === null) return;
    void work.run(async () => {
      const answer = await api.POST("/phone-proofs", { body: { phone: full, purpose } });
      if (answer.data !== undefined) {
        sent.value = answer.data;
        waitS.value = answer.data.resend_after_s;
        code.value = "";
      }
      return answer;
    });
  };
  const prove = (event: Event) => {
    event.preventDefault();
    if (sent.value === null || full === null) return;
    const path = { id: sent.value.id };
    void work.run(async () => {
      const answer = await api.POST("/phone-proofs/{id}", { params: { path }, body: { code: code.value.trim() } });
      if (answer.data !== undefined) proved({ phone: full, proof: answer.data.phone_proof });
      return answer;
    });
  };
  const isWrongCode = work.problem?.code === "invalid_code";

  return (
    <Stage step={sent.value === null ? "phone" : "code"}>
      {sent.value === null ? (
        <form class="sheet" onSubmit={sendCode} noValidate>
          <p class="quiet">{lead}</p>
          <TextField
            label={texts.value.common.phone}
            hint={texts.value.common.phoneHint}
            fault={asked.value && full === null ? texts.value.faults.phone : work.faultOf("phone")}
            kind="tel"
            inputMode="tel"
            autocomplete="tel"
            value={phone.value}
            onText={(text) => {
              phone.value = text;
              asked.value = false;
            }}
          />
          {work.message}
          <Act first submits busy={work.busy}>
            {texts.value.register.send}
          </Act>
        </form>
      ) : (
        <form class="sheet" onSubmit={prove} noValidate>
          <p role="status">{texts.value.register.sent(full === null ? phone.value : showPhone(full))}</p>
          <PretendPhone holds="message" />
          <TextField
            isNext
            label={texts.value.common.code}
            hint={texts.value.common.codeHint}
            fault={isWrongCode ? texts.value.problems.invalid_code : work.faultOf("code")}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={6}
            value={code.value}
            onText={(text) => {
              code.value = text;
            }}
          />
          {!isWrongCode && work.message}
          <Act first submits busy={work.busy}>
            {texts.value.common.next}
          </Act>
          {waitS.value > 0 ? (
            <p class="quiet pause">{texts.value.register.againIn(howLong(waitS.value, texts.value))}</p>
          ) : (
            <Act plain busy={work.busy} onPress={sendCode}>
              {texts.value.register.again}
            </Act>
          )}
          <Act
            plain
            onPress={() => {
              sent.value = null;
              work.forget();
            }}
          >
            {texts.value.register.otherPhone}
          </Act>
        </form>
      )}
    </Stage>
  );
}
