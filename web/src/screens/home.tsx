import { api } from "../api/client";
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

/** The balance, what is under way, the three things to do, and what happened last. */
export function Home() {
  const [wallet, askWallet] = useLoaded(() => api.GET("/wallet"), { everyS: () => EVERY_S });
  const [topUps] = useLoaded(() => api.GET("/top-ups", { params: { query: { status: "pending" } } }), {
    everyS: () => EVERY_S,
  });
  const [withdrawals] = useLoaded(() => api.GET("/withdrawals", { params: { query: { status: "pending" } } }), {
    everyS: () => EVERY_S,
  });
  const [entries, askEntries] = useLoaded(() => readStatement({}, LATEST), { everyS: () => EVERY_S });
  const waiting = [
    ...(topUps.value.is === "there" ? topUps.value.value.data : []).map((one) => ({
      id: one.id,
      what: texts.value.screens["top-up"],
      when: whenOf(one.created_at),
      address: addressOf("top-up", one.id),
      amount: one.amount,
    })),
    ...(withdrawals.value.is === "there" ? withdrawals.value.value.data : []).map((one) => ({
      id: one.id,
      what: `${texts.value.screens.withdrawal} → ${one.vpa}`,
      when: whenOf(one.created_at),
      address: addressOf("withdrawal", one.id),
      amount: one.amount,
    })),
  ];

  return (
    <>
      {wallet.value.is === "loading" ? (
        // as large as what comes, so that nothing moves under a finger
        <section class="card">
          <p role="status">{texts.value.common.loading}</p>
        </section>
      ) : (
        <WhenLoaded loaded={wallet.value} again={askWallet}>
          {({ balance, status }) => (
            <>
              <StoppedWallet status={status} />
              <section class="card" aria-labelledby="available">
                <p id="available">{texts.value.home.available}</p>
                <p class="balance">{rupees(balance.available)}</p>
                {balance.held > 0 && <a href={addressOf("holds")}>{texts.value.home.held(rupees(balance.held))}</a>}
              </section>
            </>
          )}
        </WhenLoaded>
      )}
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
      {wallet.value.is === "there" && wallet.value.value.kind === "merchant" && (
        <a class="button" href={addressOf("shop")}>
          {texts.value.shop.today}
        </a>
      )}
      <a href={addressOf("withdraw")}>{texts.value.home.withdraw}</a>
      {waiting.length > 0 && (
        <section class="sheet">
          <h2>{texts.value.home.pending}</h2>
          <ul class="rows">
            {waiting.map((one) => (
              <li key={one.id}>
                <a class="row" href={one.address}>
                  <span>{one.what}</span>
                  <span class="sum">{rupees(one.amount)}</span>
                  <small class="quiet">{one.when}</small>
                </a>
              </li>
            ))}
          </ul>
          <p class="quiet">{texts.value.home.pendingMore}</p>
        </section>
      )}
      <section class="sheet">
        <h2>{texts.value.home.recent}</h2>
        <WhenLoaded loaded={entries.value} again={askEntries}>
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
    </>
  );
}

function StoppedWallet({ status }: { status: string }) {
  const by = stoppedBy(status);
  return by && <Stopped by={by} />;
}
