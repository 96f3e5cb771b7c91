import { api, type Schemas } from "../api/client";
import { readStatement } from "../api/statement";
import { rupees } from "../parts/amounts";
import { Entries } from "../parts/entries";
import { Icon } from "../parts/icons";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { Stopped, stoppedBy } from "../parts/stopped";
import { whenOf } from "../parts/times";
import { addressOf } from "../router";
import { texts } from "../texts";

const LATEST = 5;
const EVERY_S = 30;
const UNKNOWN = "₹–,–––.––";

/** The balance, what is under way, the things to do, and what happened last: each by itself, as soon as it is there. */
export function Home() {
  const [wallet, again] = useLoaded(() => api.GET("/wallet"), { everyS: () => EVERY_S });
  return (
    <>
      {wallet.value.is === "loading" ? (
        <Balance balance={null} />
      ) : (
        <WhenLoaded loaded={wallet.value} again={again}>
          {({ balance, status }) => (
            <>
              <StoppedWallet status={status} />
              <Balance balance={balance} />
            </>
          )}
        </WhenLoaded>
      )}
      <Tiles />
      {wallet.value.is === "there" && wallet.value.value.kind === "merchant" && (
        <a class="button" href={addressOf("shop")}>
          {texts.value.shop.today}
        </a>
      )}
      <a href={addressOf("withdraw")}>{texts.value.home.withdraw}</a>
      <Pending />
      <Recent />
    </>
  );
}

/** What stands there as long as nobody knows whose wallet it is: the same places, which can be pressed already. */
export function HomeOutline() {
  return (
    <>
      <Balance balance={null} />
      <Tiles />
    </>
  );
}

/** As large while it is asked for as when it has come, so that nothing moves under a finger. */
function Balance({ balance }: { balance: Schemas["Wallet"]["balance"] | null }) {
  return (
    <section class="card" aria-labelledby="available" aria-busy={balance === null}>
      <p id="available">{texts.value.home.available}</p>
      <p class="balance">{balance === null ? UNKNOWN : rupees(balance.available)}</p>
      {balance !== null && balance.held > 0 && (
        <a href={addressOf("holds")}>{texts.value.home.held(rupees(balance.held))}</a>
      )}
    </section>
  );
}

function Tiles() {
  return (
    <div class="tiles">
      {(["pay", "scan", "receive", "add"] as const).map((one) => (
        <a key={one} href={addressOf(one)}>
          <span class="sign">
            <Icon sign={one} />
          </span>
          {texts.value.screens[one]}
        </a>
      ))}
    </div>
  );
}

function Pending() {
  const every = { everyS: () => EVERY_S };
  const query = { status: "pending" as const };
  const [topUps] = useLoaded(() => api.GET("/top-ups", { params: { query } }), every);
  const [withdrawals] = useLoaded(() => api.GET("/withdrawals", { params: { query } }), every);
  const rows = [
    ...(topUps.value.is === "there" ? topUps.value.value.data : []).map((one) => ({
      ...one,
      what: texts.value.screens["top-up"],
      address: addressOf("top-up", one.id),
    })),
    ...(withdrawals.value.is === "there" ? withdrawals.value.value.data : []).map((one) => ({
      ...one,
      what: `${texts.value.screens.withdrawal} → ${one.vpa}`,
      address: addressOf("withdrawal", one.id),
    })),
  ];
  if (rows.length === 0) return null;
  return (
    <section class="sheet">
      <h2>{texts.value.home.pending}</h2>
      <ul class="rows">
        {rows.map((one) => (
          <li key={one.id}>
            <a class="row" href={one.address}>
              <span>{one.what}</span>
              <span class="sum">{rupees(one.amount)}</span>
              <small class="quiet">{whenOf(one.created_at)}</small>
            </a>
          </li>
        ))}
      </ul>
      <p class="quiet">{texts.value.home.pendingMore}</p>
    </section>
  );
}

function Recent() {
  const [entries, again] = useLoaded(() => readStatement({}, LATEST), { everyS: () => EVERY_S });
  return (
    <section class="sheet">
      <h2>{texts.value.home.recent}</h2>
      <WhenLoaded loaded={entries.value} again={again}>
        {({ data }) =>
          data.length > 0 ? (
            <>
              <Entries entries={data} />
              <a href={addressOf("history")}>{texts.value.home.all}</a>
            </>
          ) : (
            <p class="quiet">{texts.value.home.nothingYet}</p>
          )
        }
      </WhenLoaded>
    </section>
  );
}

function StoppedWallet({ status }: { status: string }) {
  const by = stoppedBy(status);
  return by && <Stopped by={by} />;
}
