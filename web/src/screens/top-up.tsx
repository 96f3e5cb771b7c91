import type { Schemas } from "../api/client";
import { api } from "../api/client";
import { rupees } from "../parts/amounts";
import { whenOf } from "../parts/entries";
import { Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { addressOf, place } from "../router";
import { texts } from "../texts";

/** Looked at so often, by how long it has been waited for: [up to seconds, every seconds]. */
const PACE: readonly (readonly [number, number])[] = [
  [60, 2],
  [300, 5],
  [1800, 15],
  [Number.POSITIVE_INFINITY, 60],
];

const paceOf = (topUp: Schemas["TopUp"] | null): number | null => {
  if (topUp === null) return 5;
  // a failed one may still arrive: banks are slow
  const isOver = topUp.status === "succeeded" || topUp.status === "refunded";
  const age = (Date.now() - Date.parse(topUp.created_at)) / 1000;
  return isOver ? null : (PACE.find(([upTo]) => age < upTo)?.[1] ?? null);
};

/** One top-up: how to pay it, and what has become of it. */
export function TopUp() {
  const id = place.value.about;
  const [topUp, again] = useLoaded(() => api.GET("/top-ups/{id}", { params: { path: { id } } }), {
    about: id,
    everyS: paceOf,
  });
  return (
    <Shown loaded={topUp.value} again={again}>
      {(one) => (
        <>
          <p class="balance">{rupees(one.amount)}</p>
          <State topUp={one} />
          {one.status !== "succeeded" && <References topUp={one} />}
        </>
      )}
    </Shown>
  );
}

function State({ topUp }: { topUp: Schemas["TopUp"] }) {
  switch (topUp.status) {
    case "pending":
      return (
        <>
          <Ways upi={topUp.upi} />
          <p class="waiting" role="status">
            {texts.value.add.waiting}
          </p>
          <p class="quiet">{texts.value.add.waitingMore}</p>
        </>
      );
    case "succeeded":
      return (
        <>
          <Told>{texts.value.add.credited}</Told>
          <a class="button first" href={addressOf("")}>
            {texts.value.common.toHome}
          </a>
        </>
      );
    case "failed":
      return (
        <>
          <Told warning>{texts.value.add.failed}</Told>
          <p>{texts.value.add.failedMore}</p>
          <p>{texts.value.add.clock}</p>
          <a class="button" href={addressOf("help")}>
            {texts.value.screens.help}
          </a>
        </>
      );
    case "expired":
      return (
        <>
          <Told>{texts.value.add.expired}</Told>
          <p>{texts.value.add.failedMore}</p>
          <a class="button first" href={addressOf("add")}>
            {texts.value.add.again}
          </a>
        </>
      );
    case "refunded":
      return (
        <>
          <Told>{texts.value.add.refunded}</Told>
          <p>{texts.value.add.clock}</p>
        </>
      );
  }
}

/** The code on a desk, the app on a phone, and both within reach on both. */
function Ways({ upi }: { upi: Schemas["Upi"] | undefined }) {
  if (upi === undefined) return null;
  const isPhone = matchMedia("(pointer: coarse)").matches;
  // an image by its address: no markup of anybody's gets into the page
  const code = (
    <img
      class="code"
      alt={texts.value.add.scanThis}
      src={`data:image/svg+xml;utf8,${encodeURIComponent(upi.qr_svg)}`}
    />
  );
  const app = (
    <a class={isPhone ? "button first" : "button"} href={upi.intent_url}>
      {texts.value.add.openApp}
    </a>
  );
  return isPhone ? (
    <>
      {app}
      <details>
        <summary>{texts.value.add.orScan}</summary>
        {code}
      </details>
    </>
  ) : (
    <>
      <p>{texts.value.add.scanThis}</p>
      {code}
      <details>
        <summary>{texts.value.add.orApp}</summary>
        {app}
      </details>
    </>
  );
}

function References({ topUp }: { topUp: Schemas["TopUp"] }) {
  const rows: [string, string | null][] = [
    [texts.value.add.rrn, topUp.rrn],
    [texts.value.add.order, topUp.gateway_order_id],
    [texts.value.add.ours, topUp.id],
    [texts.value.pay.when, whenOf(topUp.created_at)],
  ];
  return (
    <section class="sheet">
      <h2>{texts.value.add.references}</h2>
      <dl class="facts">
        {rows.map(
          ([name, value]) =>
            value !== null && (
              <div key={name} class="pair">
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}
