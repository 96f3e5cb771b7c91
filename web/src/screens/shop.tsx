import { api, type Schemas } from "../api/client";
import type { Told as Answer } from "../api/sending";
import { readStatement } from "../api/statement";
import { rupees } from "../parts/amounts";
import { Entries } from "../parts/entries";
import { Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { addressOf } from "../router";
import { texts } from "../texts";

const EVERY_S = 15;
/** What was taken, less what was given back of it; what the shop itself pays is no matter of the counter. */
const isTaking = ({ type, direction }: Schemas["Entry"]): boolean =>
  direction === "credit" ? type === "payment" || type === "hold_capture" : type === "refund";

/** What a shop has taken since midnight, and its code for the counter. */
export function Shop() {
  const [wallet] = useLoaded(() => api.GET("/wallet"));
  const [today, again] = useLoaded(askForToday, { everyS: () => EVERY_S, isWatched: true });
  return (
    <>
      {wallet.value.is === "there" && wallet.value.value.kind === "merchant" && !wallet.value.value.approved && (
        <Told warning>{texts.value.shop.notApproved}</Told>
      )}
      <Shown loaded={today.value} again={again}>
        {(entries) => {
          const taken = entries.filter((one) => one.direction === "credit");
          const total = entries.reduce((sum, one) => sum + (one.direction === "credit" ? one.amount : -one.amount), 0);
          return (
            <>
              <section class="card" aria-labelledby="taken">
                <p id="taken">{texts.value.shop.today}</p>
                <p class="balance">{rupees(total)}</p>
                <p>{texts.value.shop.count(taken.length)}</p>
              </section>
              {entries.length > 0 ? (
                <section class="sheet">
                  <Entries entries={entries} />
                </section>
              ) : (
                <p class="quiet">{texts.value.shop.none}</p>
              )}
            </>
          );
        }}
      </Shown>
      <a class="button first" href={addressOf("receive")}>
        {texts.value.shop.code}
      </a>
    </>
  );
}

/** Every entry since midnight where the shop is. */
async function askForToday(): Promise<Answer<Schemas["Entry"][]>> {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const entries: Schemas["Entry"][] = [];
  let cursor: string | null = null;
  for (;;) {
    const told = await readStatement({ from: midnight.toISOString() }, 100, cursor);
    if (told.data === undefined) return { ...told, data: undefined };
    entries.push(...told.data.data.filter(isTaking));
    cursor = told.data.next_cursor;
    if (cursor === null) return { ...told, data: entries };
  }
}
