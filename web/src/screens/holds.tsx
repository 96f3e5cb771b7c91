import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { sendOnce } from "../api/sending";
import { rupees } from "../parts/amounts";
import { Act, Note } from "../parts/fields";
import { useLatch } from "../parts/latch";
import { Loading, Rest } from "../parts/loading";
import { type Pages, usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { whenOf } from "../parts/times";
import { texts } from "../texts";

type Side = "payer" | "payee";

/** What is held of one's money, and what is held for one. */
export function Holds() {
  const payer = useHolds("payer");
  const payee = useHolds("payee");
  // both at once: the second list has buttons that move money, and doesn't move itself
  const areThere = useLatch(() => payer.holds.state.value !== "loading" && payee.holds.state.value !== "loading");
  return (
    <>
      <p class="quiet">{texts.value.holds.lead}</p>
      {areThere ? (
        <>
          <Listed side="payer" {...payer} />
          <Listed side="payee" {...payee} />
        </>
      ) : (
        <Loading />
      )}
    </>
  );
}

function useHolds(side: Side): { holds: Pages<Schemas["Hold"]>; again: () => void } {
  const turn = useSignal(0);
  const holds = usePages<Schemas["Hold"]>(
    (cursor) => api.GET("/holds", { params: { query: { side, ...(cursor ? { cursor } : {}) } } }),
    String(turn.value),
  );
  return { holds, again: () => turn.value++ };
}

function Listed({ side, holds, again }: { side: Side } & ReturnType<typeof useHolds>) {
  return (
    <section class="sheet">
      <h2>{texts.value.holds[side]}</h2>
      <ul class="rows">
        {holds.rows.value.map((one) => (
          <li key={one.id}>
            <div class="row still">
              <span>{side === "payer" ? one.to.name : one.from.name}</span>
              <span class="sum">{rupees(one.amount)}</span>
              <small class="quiet">
                {texts.value.holds.status[one.status]}
                {one.status === "placed" && ` ${texts.value.holds.until(whenOf(one.expires_at))}`}
              </small>
            </div>
            {side === "payee" && one.status === "placed" && <Decide hold={one} done={again} />}
          </li>
        ))}
      </ul>
      <Rest pages={holds} none={texts.value.holds.none} />
    </section>
  );
}

/** The payee takes what is held, or gives it free. Either ends the hold, so that it happens once whatever is repeated. */
function Decide({ hold, done }: { hold: Schemas["Hold"]; done: () => void }) {
  const key = useSignal(crypto.randomUUID());
  const busy = useSignal(false);
  const message = useSignal<string | null>(null);
  const params = { path: { id: hold.id }, header: { "Idempotency-Key": key.value } };

  const end = async (how: "capture" | "release") => {
    if (busy.value) return;
    busy.value = true;
    const outcome = await (how === "capture"
      ? sendOnce(() => api.POST("/holds/{id}/capture", { params, body: {} }))
      : sendOnce(() => api.POST("/holds/{id}/release", { params, body: {} })));
    busy.value = false;
    if (outcome.is === "done") done();
    else
      message.value =
        outcome.is === "unknown" ? texts.value.common.nobodyAnswers : sentenceFor(outcome.problem, texts.value);
  };
  return (
    <>
      {message.value && <Note warning>{message.value}</Note>}
      <div class="actions">
        <Act first busy={busy.value} onPress={() => void end("capture")}>
          {texts.value.holds.capture}
        </Act>
        <Act busy={busy.value} onPress={() => void end("release")}>
          {texts.value.holds.release}
        </Act>
      </div>
    </>
  );
}
