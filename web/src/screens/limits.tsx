import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { Facts } from "../parts/facts";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { texts } from "../texts";

/** What may be held, added and paid, and how much of it is used. */
export function Limits() {
  const [wallet, again] = useLoaded(() => api.GET("/wallet"));
  return (
    <Shown loaded={wallet.value} again={again}>
      {({ limits, balance }) => (
        <section class="sheet">
          <p class="quiet">{texts.value.allowances.lead}</p>
          <Facts rows={rowsOf(limits, balance)} />
        </section>
      )}
    </Shown>
  );
}

function rowsOf(limits: Schemas["Limits"], balance: Schemas["Balance"]): [string, string][] {
  const say = texts.value.allowances;
  const used = (so: number, most: number | null): string =>
    most === null ? say.none : say.usedOf(rupees(so), rupees(most));
  const most = (amount: number | null): string => (amount === null ? say.none : rupees(amount));
  const may = (is: boolean): string => (is ? say.yes : say.no);
  return [
    [say.tier, limits.tier],
    [say.max_balance, used(balance.total, limits.max_balance)],
    [say.max_top_up, most(limits.max_top_up)],
    [say.loaded_this_month, used(limits.used.loaded_this_month, limits.max_load_month)],
    [say.loaded_this_year, used(limits.used.loaded_this_year, limits.max_load_year)],
    [texts.value.limits.max_payment, most(limits.max_payment)],
    [say.debited_today, used(limits.used.debited_today, limits.max_debit_day)],
    [say.debited_this_month, used(limits.used.debited_this_month, limits.max_debit_month)],
    [texts.value.limits.person_to_person, may(limits.person_to_person)],
    [texts.value.limits.withdrawals, may(limits.withdrawals)],
  ];
}
