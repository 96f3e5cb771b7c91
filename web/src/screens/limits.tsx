import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { Facts } from "../parts/facts";
import { Note } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { texts } from "../texts";

/** What may be held, added and paid, and how much of it is used. */
export function Limits() {
  const [wallet, again] = useLoaded(() => api.GET("/wallet"));
  return (
    <>
      <p class="quiet">{texts.value.allowances.lead}</p>
      <WhenLoaded loaded={wallet.value} again={again}>
        {({ limits, balance, kind, approved }) => (
          <>
            <Level limits={limits} />
            {kind === "merchant" && !approved && <Note warning>{texts.value.shop.notApproved}</Note>}
            <section class="sheet">
              <Used rows={usedOf(limits, balance)} />
            </section>
            <section class="sheet">
              <Facts rows={rulesOf(limits)} />
            </section>
          </>
        )}
      </WhenLoaded>
    </>
  );
}

/** What it is called, and why it is this one. */
function Level({ limits: { tier } }: { limits: Schemas["Limits"] }) {
  const level: Record<string, { name: string; why: string }> = texts.value.allowances.tiers;
  return (
    <section class="sheet">
      <h2>
        {texts.value.allowances.tier}: {level[tier]?.name ?? tier}
      </h2>
      {level[tier] && <p>{level[tier].why}</p>}
    </section>
  );
}

type Row = readonly [name: string, used: number, most: number | null];

function usedOf({ used, ...limits }: Schemas["Limits"], balance: Schemas["Balance"]): Row[] {
  const say = texts.value.allowances;
  return [
    [say.max_balance, balance.total, limits.max_balance],
    [say.loaded_this_month, used.loaded_this_month, limits.max_load_month],
    [say.loaded_this_year, used.loaded_this_year, limits.max_load_year],
    [say.debited_today, used.debited_today, limits.max_debit_day],
    [say.debited_this_month, used.debited_this_month, limits.max_debit_month],
  ];
}

function Used({ rows }: { rows: Row[] }) {
  const say = texts.value.allowances;
  return (
    <dl class="used">
      {rows.map(([name, used, most]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {most === null ? `${rupees(used)} · ${say.none}` : say.usedOf(rupees(used), rupees(most))}
            {most !== null && (
              <>
                {/* the words above say the same */}
                <progress max={most} value={Math.min(used, most)} aria-hidden="true" />
                <small class="quiet">{say.left(rupees(Math.max(most - used, 0)))}</small>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function rulesOf(limits: Schemas["Limits"]): [string, string][] {
  const say = texts.value.allowances;
  const most = (amount: number | null): string => (amount === null ? say.none : rupees(amount));
  const may = (is: boolean): string => (is ? say.yes : say.no);
  return [
    [say.max_top_up, most(limits.max_top_up)],
    [say.max_payment, most(limits.max_payment)],
    [say.person_to_person, may(limits.person_to_person)],
    [say.withdrawals, may(limits.withdrawals)],
  ];
}
