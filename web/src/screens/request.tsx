import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { Code } from "../parts/code";
import { Copy, Share } from "../parts/copy";
import { Facts } from "../parts/facts";
import { Act } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { MOST_PEOPLE, wholeOf } from "../parts/split";
import { whenOf } from "../parts/times";
import { useWork } from "../parts/work";
import { addressOf, place } from "../router";
import { texts } from "../texts";

type One = Schemas["PaymentRequest"];

const EVERY_S = 10;

/** One of one's own requests, or the parts of a sum that several people share: how to hand it on, and who has paid. */
export function Request() {
  const ids = place.value.about.split(",").slice(0, MOST_PEOPLE);
  const [requests, again] = useLoaded(() => askForAll(ids), {
    about: place.value.about,
    everyS: (all) => (all === null || all.some((one) => one.status === "open") ? EVERY_S * ids.length : null),
  });
  return (
    <>
      <WhenLoaded loaded={requests.value} again={again}>
        {(all) => {
          const [first] = all;
          if (first === undefined) return null;
          return all.length === 1 ? <Single one={first} again={again} /> : <Several all={all} again={again} />;
        }}
      </WhenLoaded>
      <a href={addressOf("requests")}>{texts.value.receive.asked}</a>
    </>
  );
}

/** All of them, or the first answer that is none. */
async function askForAll(ids: readonly string[]) {
  const answers = await Promise.all(ids.map((id) => api.GET("/payment-requests/{id}", { params: { path: { id } } })));
  const refused = answers.find((one) => one.data === undefined);
  const [first] = answers;
  if (refused !== undefined || first === undefined) return { ...(refused ?? answers[0]), data: undefined } as never;
  return { response: first.response, data: answers.map((one) => one.data as One) };
}

/** Where whoever pays it goes: the API's own link, or this site's, where the API knows of no site. */
const linkTo = (one: One): string => one.url ?? location.origin + addressOf("pay", one.id);

function Single({ one, again }: { one: One; again: () => void }) {
  return (
    <>
      <section class="sheet">
        <p class="balance">{one.amount === null ? texts.value.requests.forms.any : rupees(one.amount)}</p>
        <p role="status">
          <Status of={one.status} />
        </p>
        <Facts
          rows={[
            [texts.value.common.what, one.description],
            [texts.value.requests.until, one.status === "open" ? whenOf(one.expires_at) : null],
          ]}
        />
        {one.status === "open" && one.svg && <Code svg={one.svg} says={texts.value.requests.codeOf} />}
        {one.status === "open" && <HandOn one={one} />}
        {one.status === "open" && <Cancel id={one.id} done={again} />}
      </section>
      {(one.status === "open" || one.payments.length > 0) && <PaidBy payments={one.payments} />}
    </>
  );
}

function Several({ all, again }: { all: One[]; again: () => void }) {
  const sum = (some: One[]) => some.reduce((total, one) => total + (one.amount ?? 0), 0);
  const paid = all.filter((one) => one.status === "paid");
  const what = wholeOf(all[0]?.description ?? null)?.what;
  return (
    <>
      <section class="sheet">
        {what && <h2>{what}</h2>}
        <p class="balance">{rupees(sum(paid))}</p>
        <p role="status">{texts.value.requests.cameOf(rupees(sum(all)), paid.length, all.length)}</p>
        <progress max={all.length} value={paid.length} aria-label={texts.value.requests.paidBy} />
        <p class="quiet">{texts.value.requests.handOut}</p>
      </section>
      {all.map((one, at) => (
        <section key={one.id} class="sheet" aria-labelledby={`part-${at}`}>
          <div class="row still">
            <h2 id={`part-${at}`}>{one.payments[0]?.from.name ?? texts.value.requests.part(at + 1)}</h2>
            <span class="sum">{one.amount === null ? "" : rupees(one.amount)}</span>
            <Status of={one.status} />
          </div>
          {one.status === "open" && (
            <>
              <HandOn one={one} />
              <details>
                <summary>{texts.value.requests.more}</summary>
                {one.svg && <Code svg={one.svg} says={texts.value.requests.codeOf} />}
                <Cancel id={one.id} done={again} />
              </details>
            </>
          )}
        </section>
      ))}
    </>
  );
}

const Status = ({ of }: { of: One["status"] }) => <span class={`badge ${of}`}>{texts.value.requests.status[of]}</span>;

function HandOn({ one }: { one: One }) {
  return (
    <div class="actions">
      <Share title={texts.value.screens.request} url={linkTo(one)} />
      <Copy text={linkTo(one)} says={texts.value.requests.copyLink} />
    </div>
  );
}

function Cancel({ id, done }: { id: string; done: () => void }) {
  const work = useWork();
  return (
    <>
      {work.message}
      <Act
        plain
        busy={work.busy}
        onPress={async () => {
          await work.run(() => api.POST("/payment-requests/{id}/cancel", { params: { path: { id } }, body: {} }));
          done(); // refused or lost, too: somebody may have paid it meanwhile
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
      {payments.length === 0 ? (
        <p class="quiet">{texts.value.requests.nobodyYet}</p>
      ) : (
        <ul class="rows">
          {payments.map((one) => (
            <li key={one.id} class="row">
              <span>{one.from.name}</span>
              <span class="sum good">+{rupees(one.amount)}</span>
              <small class="quiet">{whenOf(one.created_at)}</small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
