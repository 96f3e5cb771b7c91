import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { onlyOne } from "../api/sending";
import { readAmount } from "../money";
import { AmountField, rupees } from "../parts/amounts";
import { Act, Note } from "../parts/fields";
import { Goes } from "../parts/goes";
import { Moving, useMovement } from "../parts/movement";
import { addressOf } from "../router";
import { texts } from "../texts";

const begin = (body: Schemas["TopUpBody"], header: { "Idempotency-Key": string }) =>
  api.POST("/top-ups", { params: { header }, body });

const findBegun = async (key: string): Promise<{ id: string } | null> =>
  onlyOne(await api.GET("/top-ups", { params: { query: { key } } }));

/** How much? The way to pay it is the next screen, which has an address of its own. */
export function AddMoney() {
  const typed = useSignal("");
  const asked = useSignal(false);
  const topUp = useMovement("top_up", begin, findBegun);
  const amount = readAmount(typed.value);

  return (
    <Moving
      movement={topUp}
      lead={(order) => rupees(order.amount)}
      unknown={texts.value.add.unknown}
      form={(message) => (
        <form
          class="sheet"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            asked.value = true;
            if (typeof amount === "number") void topUp.send({ amount });
          }}
        >
          <p class="quiet">{texts.value.add.lead}</p>
          <AmountField
            typed={typed.value}
            asked={asked.value}
            onText={(text) => {
              typed.value = text;
            }}
          />
          {message && <Note warning>{message}</Note>}
          <Act first submits busy={topUp.isSending.value}>
            {texts.value.add.submit}
          </Act>
          <a href={addressOf("limits")}>{texts.value.screens.limits}</a>
        </form>
      )}
      done={({ id }) => <Goes to="top-up" about={id} />}
      earlier={({ id }) => <Goes to="top-up" about={id} />}
    />
  );
}
