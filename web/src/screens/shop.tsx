import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api, type Schemas } from "../api/client";
import { rupees } from "../parts/amounts";
import { dayReader } from "../parts/day";
import { Entries } from "../parts/entries";
import { Act, Note } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { addressOf } from "../router";
import { texts } from "../texts";

const EVERY_S = 15;
/** So many are listed at once: a page with thousands of them would be slow each time that it is drawn. */
const LISTED = 50;
/** What was taken, less what was given back of it; what the shop itself pays is no matter of the counter. */
const isTaking = ({ type, direction }: Schemas["Entry"]): boolean =>
  direction === "credit" ? type === "payment" || type === "hold_capture" : type === "refund";

/** What a shop has taken since midnight in India, and its code for the counter. */
export function Shop() {
  const [wallet] = useLoaded(() => api.GET("/wallet"));
  const listed = useSignal(LISTED);
  const askForToday = useMemo(dayReader, []);
  const [today, again] = useLoaded(askForToday, { everyS: () => EVERY_S, isWatched: true });
  return (
    <>
      {wallet.value.is === "there" && wallet.value.value.kind === "merchant" && !wallet.value.value.approved && (
        <Note warning>{texts.value.shop.notApproved}</Note>
      )}
      <WhenLoaded loaded={today.value} again={again}>
        {(day) => {
          const entries = day.entries.filter(isTaking);
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
                  <Entries entries={entries.slice(0, listed.value)} />
                  {entries.length > listed.value && (
                    <Act
                      onPress={() => {
                        listed.value += LISTED;
                      }}
                    >
                      {texts.value.history.more}
                    </Act>
                  )}
                </section>
              ) : (
                <p class="quiet">{texts.value.shop.none}</p>
              )}
            </>
          );
        }}
      </WhenLoaded>
      <a class="button first" href={addressOf("receive")}>
        {texts.value.shop.code}
      </a>
    </>
  );
}
