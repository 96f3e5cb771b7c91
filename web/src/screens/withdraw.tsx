import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { onlyOne } from "../api/sending";
import { readAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Comes } from "../parts/comes";
import { Act, Note, TextField } from "../parts/fields";
import { Goes } from "../parts/goes";
import { Moving, useMovement } from "../parts/movement";
import { usePreview } from "../parts/preview";
import { isVpa } from "../payees";
import { addressOf } from "../router";
import { texts } from "../texts";

const send = (body: Schemas["WithdrawalBody"], header: { "Idempotency-Key": string }) =>
  api.POST("/withdrawals", { params: { header }, body });

const findSent = async (key: string): Promise<{ id: string } | null> =>
  onlyOne(await api.GET("/withdrawals", { params: { query: { key } } }));

const askAhead = (query: { amount: number; vpa: string }) => api.GET("/withdrawals/preview", { params: { query } });

/** To the bank account behind a UPI address. What becomes of it is the next screen. */
export function Withdraw() {
  const typed = useSignal("");
  const vpa = useSignal("");
  const asked = useSignal(false);
  const left = useSignal(false);
  const withdrawal = useMovement("withdrawal", send, findSent);
  const amount = readAmount(typed.value);
  const address = vpa.value.trim();
  const isAddress = isVpa(address);
  const preview = usePreview(typeof amount === "number" && isAddress ? { amount, vpa: address } : null, askAhead);
  const isFault = !isAddress && (asked.value || (left.value && address !== ""));

  return (
    <Moving
      movement={withdrawal}
      lead={(order) => `${rupees(order.amount)} → ${order.vpa}`}
      confirm={texts.value.withdraw.confirm}
      unknown={texts.value.withdraw.unknown}
      form={(message) => (
        <form
          class="sheet"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            asked.value = true;
            if (typeof amount === "number" && isAddress) void withdrawal.send({ amount, vpa: address });
          }}
        >
          <p class="quiet">{texts.value.withdraw.lead}</p>
          <div onFocusOut={() => (left.value = true)}>
            <TextField
              label={texts.value.withdraw.vpa}
              hint={texts.value.withdraw.vpaHint}
              fault={isFault ? texts.value.faults.vpa : null}
              inputMode="email"
              autocomplete="off"
              value={vpa.value}
              onText={(text) => {
                vpa.value = text;
              }}
            />
          </div>
          <AmountField
            typed={typed.value}
            asked={asked.value}
            onText={(text) => {
              typed.value = text;
            }}
          />
          <Comes preview={preview.value} />
          {message && <Note warning>{message}</Note>}
          <Act first submits busy={withdrawal.isSending.value}>
            {typeof amount === "number" ? texts.value.withdraw.submit(rupees(amount)) : texts.value.screens.withdraw}
          </Act>
          <a href={addressOf("")}>{texts.value.common.toHome}</a>
        </form>
      )}
      done={({ id }) => <Goes to="withdrawal" about={id} />}
      earlier={({ id }) => <Goes to="withdrawal" about={id} />}
    />
  );
}
