import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { Code } from "../parts/code";
import { Copy, Share } from "../parts/copy";
import { whenOf } from "../parts/entries";
import { Facts } from "../parts/facts";
import { Act, Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { sentenceFor } from "../parts/problems";
import { place } from "../router";
import { texts } from "../texts";

const EVERY_S = 10;

/** One of one's own requests: its code, and who has paid it. */
export function Request() {
  const path = { id: place.value.about };
  const [request, again] = useLoaded(() => api.GET("/payment-requests/{id}", { params: { path } }), {
    about: path.id,
    everyS: (one) => (one?.status === "open" ? EVERY_S : null),
  });
  return (
    <Shown loaded={request.value} again={again}>
      {(one) => (
        <>
          <section class="sheet">
            <p class="balance">{one.amount === null ? texts.value.requests.open : rupees(one.amount)}</p>
            <p role="status">{texts.value.requests.status[one.status]}</p>
            <Facts
              rows={[
                [texts.value.common.description, one.description],
                [texts.value.requests.until, whenOf(one.expires_at)],
              ]}
            />
            {one.status === "open" && one.svg && <Code svg={one.svg} says={texts.value.screens.request} />}
            {one.status === "open" && one.code && (
              <>
                <Copy text={one.url ?? one.code} />
                {one.url && <Share title={texts.value.screens.request} url={one.url} />}
                <Cancel id={one.id} done={again} />
              </>
            )}
          </section>
          <PaidBy payments={one.payments} />
        </>
      )}
    </Shown>
  );
}

function Cancel({ id, done }: { id: string; done: () => void }) {
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  return (
    <>
      {said.value && <Told warning>{said.value}</Told>}
      <Act
        busy={busy.value}
        onPress={async () => {
          busy.value = true;
          const told = await api
            .POST("/payment-requests/{id}/cancel", { params: { path: { id } }, body: {} })
            .catch(() => null);
          busy.value = false;
          said.value =
            told === null
              ? texts.value.common.nobodyAnswers
              : told.error === undefined
                ? null
                : sentenceFor(told.error, texts.value);
          done();
        }}
      >
        {texts.value.requests.cancel}
      </Act>
    </>
  );
}

function PaidBy({ payments }: { payments: Schemas["ReceivedPayment"][] }) {
  return (
    <section class="sheet">
      <h2>{texts.value.requests.paidBy}</h2>
      {payments.length === 0 && <p class="quiet">{texts.value.requests.nobodyYet}</p>}
      <ul class="rows">
        {payments.map((one) => (
          <li key={one.id} class="row">
            <span>{one.from.name}</span>
            <span class="sum good">+{rupees(one.amount)}</span>
            <small class="quiet">{whenOf(one.created_at)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
