import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";
import { api } from "../api/client";
import { askOperator } from "../operator";
import { rupees } from "../parts/amounts";
import { Code } from "../parts/code";
import { Copy } from "../parts/copy";
import { Facts } from "../parts/facts";
import { Note, Stage } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { PretendPhone } from "../parts/simulator";
import { dayOf, timeOf, whenOf } from "../parts/times";
import { addressOf, place } from "../router";
import { texts } from "../texts";

/** Looked at so often, by how long it has been waited for: [up to seconds, every seconds]. */
const PACE: readonly (readonly [number, number])[] = [
  [60, 2],
  [300, 5],
  [1800, 15],
  [Number.POSITIVE_INFINITY, 60],
];
/** By the RBI's circular on failed transactions: days from the payment to the return of what a bank took in vain. */
const RETURN_DAYS = 5;
const DAY_MS = 86_400_000;
/** The end of a code is shown only when it is near: before, a clock would only hurry people. */
const NEAR_MS = 180_000;

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
  // with the top-up and not behind it: what leads to the pretend phone stands above what can be pressed
  useEffect(askOperator, []);
  const [topUp, again] = useLoaded(() => api.GET("/top-ups/{id}", { params: { path: { id } } }), {
    about: id,
    everyS: paceOf,
  });
  return (
    <WhenLoaded loaded={topUp.value} again={again}>
      {(one) => (
        <Stage step={one.status}>
          <p class="balance">{rupees(one.amount)}</p>
          <State topUp={one} />
        </Stage>
      )}
    </WhenLoaded>
  );
}

function State({ topUp }: { topUp: Schemas["TopUp"] }) {
  switch (topUp.status) {
    case "pending":
      return (
        <>
          <section class="sheet">
            {/* first: on a trial there is no UPI app that could pay */}
            <PretendPhone holds="payment" order={topUp.gateway_order_id} />
            <Ways upi={topUp.upi} />
          </section>
          <p class="waiting" role="status">
            {texts.value.add.waiting}
          </p>
          <Ends at={topUp.expires_at} />
          <p class="quiet">{texts.value.add.waitingMore}</p>
          <details class="sheet">
            <summary>{texts.value.help.deducted}</summary>
            <Deducted topUp={topUp} />
          </details>
        </>
      );
    case "succeeded":
      return (
        <>
          <Note>{texts.value.add.credited}</Note>
          <a class="button first" href={addressOf("")}>
            {texts.value.common.toHome}
          </a>
          <References topUp={topUp} />
        </>
      );
    case "failed":
      return (
        <>
          <Note warning>{texts.value.add.failed}</Note>
          <Reason events={topUp.events} />
          <section class="sheet">
            <h2>{texts.value.add.tookIt}</h2>
            <Deducted topUp={topUp} />
          </section>
          <a class="button" href={addressOf("add")}>
            {texts.value.add.tookNothing}
          </a>
        </>
      );
    case "expired":
      return (
        <>
          <Note>{texts.value.add.expired}</Note>
          <a class="button first" href={addressOf("add")}>
            {texts.value.add.again}
          </a>
          <details class="sheet">
            <summary>{texts.value.help.deducted}</summary>
            <Deducted topUp={topUp} />
          </details>
        </>
      );
    case "refunded":
      return (
        <>
          <Note>{texts.value.add.refunded}</Note>
          <p>{texts.value.add.refundedMore}</p>
          <References topUp={topUp} />
        </>
      );
  }
}

/** The code on a desk, the app on a phone, and both within reach on both. */
function Ways({ upi }: { upi: Schemas["Upi"] | undefined }) {
  if (upi === undefined) return <p>{texts.value.add.noWay}</p>;
  const isPhone = matchMedia("(pointer: coarse)").matches;
  const code = <Code svg={upi.qr_svg} says={texts.value.add.code} />;
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
      <p class="lead">{texts.value.add.scanThis}</p>
      {code}
      <details>
        <summary>{texts.value.add.orApp}</summary>
        {app}
      </details>
    </>
  );
}

function Ends({ at }: { at: string }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 15_000);
    return () => clearInterval(timer);
  }, [now]);
  const left = Date.parse(at) - now.value;
  if (left <= 0 || left > NEAR_MS) return null;
  return <p role="status">{texts.value.add.endsAt(timeOf(new Date(at)))}</p>;
}

/** Why it failed, as far as the bank has said and a person can use it. */
function Reason({ events }: { events: Schemas["TopUpEvent"][] }) {
  const code = events.findLast((one) => one.reason !== undefined)?.reason;
  const reasons: Record<string, string> = texts.value.reasons;
  const message = code === undefined ? undefined : reasons[code];
  return message === undefined ? null : <p>{message}</p>;
}

/** The bank took money, and it isn't here: what is known to hold, until when, and whom to ask with which number. */
function Deducted({ topUp }: { topUp: Schemas["TopUp"] }) {
  const day = dayOf(new Date(Date.parse(topUp.created_at) + RETURN_DAYS * DAY_MS).toISOString());
  return (
    <>
      <ol class="steps">
        <li>
          <strong>{texts.value.add.dontPay}</strong> {texts.value.add.dontPayMore}
        </li>
        <li>{texts.value.add.weAsk}</li>
        <li>{texts.value.add.clock(day)}</li>
        <li>
          {texts.value.add.askBank} <a href={addressOf("help")}>{texts.value.screens.help}</a>
        </li>
      </ol>
      <References topUp={topUp} />
    </>
  );
}

function References({ topUp }: { topUp: Schemas["TopUp"] }) {
  return (
    <section class="references">
      <h2>{texts.value.add.references}</h2>
      <Facts
        rows={[
          [texts.value.add.rrn, topUp.rrn ?? texts.value.add.noRrn],
          [texts.value.add.order, topUp.gateway_order_id],
          [texts.value.add.number, topUp.id],
          [texts.value.pay.when, whenOf(topUp.created_at)],
        ]}
      />
      <Copy text={topUp.rrn ?? topUp.gateway_order_id ?? topUp.id} says={texts.value.add.copyNumber} />
    </section>
  );
}
