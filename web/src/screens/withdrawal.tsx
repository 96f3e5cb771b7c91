import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { Facts } from "../parts/facts";
import { Act, Note } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { whenOf } from "../parts/times";
import { useWork } from "../parts/work";
import { addressOf, place } from "../router";
import { texts } from "../texts";

const EVERY_S = 10;

/** One withdrawal: on its way, arrived or come back, and how to stop it while it waits. */
export function Withdrawal() {
  const path = { id: place.value.about };
  const [withdrawal, again] = useLoaded(() => api.GET("/withdrawals/{id}", { params: { path } }), {
    about: path.id,
    everyS: (one) => (one?.status === "pending" ? EVERY_S : null),
  });
  return (
    <WhenLoaded loaded={withdrawal.value} again={again}>
      {(one) => (
        <section class="sheet">
          <p class="balance">{rupees(one.amount)}</p>
          <Note warning={one.status === "failed" || one.status === "reversed"}>{whatBecame(one)}</Note>
          <Facts
            rows={[
              [texts.value.pay.to, one.vpa],
              [texts.value.pay.fee, rupees(one.fee)],
              [texts.value.pay.when, whenOf(one.created_at)],
              [texts.value.entry.utr, one.utr],
              [texts.value.withdraw.number, one.id],
            ]}
          />
          {one.status === "pending" && one.waits_until && <Stop id={one.id} done={again} />}
          <a href={addressOf("")}>{texts.value.common.toHome}</a>
        </section>
      )}
    </WhenLoaded>
  );
}

const whatBecame = (one: Schemas["Withdrawal"]): string =>
  one.status === "pending" && one.waits_until
    ? texts.value.withdraw.waits(whenOf(one.waits_until))
    : texts.value.withdraw[one.status];

function Stop({ id, done }: { id: string; done: () => void }) {
  const work = useWork();
  // stopping twice stops once: the key is this screen's
  const key = useSignal(crypto.randomUUID());
  const params = { path: { id }, header: { "Idempotency-Key": key.value } };
  const stop = () => api.POST("/withdrawals/{id}/cancel", { params, body: {} });
  return (
    <>
      {work.message}
      <Act busy={work.busy} onPress={() => void work.run(stop).then(done)}>
        {texts.value.withdraw.stop}
      </Act>
    </>
  );
}
