import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type Problem, type Schemas } from "../api/client";
import { readStatement, type Stretch } from "../api/statement";
import { Entries } from "../parts/entries";
import { Act, Field, Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Rest, Shown } from "../parts/loading";
import { usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { dateOf, nameOfMonth } from "../parts/times";
import { useWork } from "../parts/work";
import { texts } from "../texts";

type Kind = Schemas["Entry"]["type"];
/** So many months are shown at once; who wants older ones asks for them. */
const MONTHS = 6;
/** A table holds no more pages than this, of a hundred lines each. */
const MOST_PAGES = 100;

/** Everything that has moved, as a list and as a table, and the months as files. */
export function History() {
  const kind = useSignal<Kind | "">("");
  const from = useSignal("");
  const to = useSignal("");
  const wanted: Stretch = {
    ...(kind.value ? { type: kind.value } : {}),
    ...(from.value ? { from: startOf(from.value).toISOString() } : {}),
    ...(to.value ? { to: startOf(to.value, 1).toISOString() } : {}),
  };
  const about = JSON.stringify(wanted);
  const entries = usePages((cursor) => readStatement(wanted, 50, cursor), about);
  const kinds = Object.keys(texts.value.entries).filter((one) => one !== "in" && one !== "out") as Kind[];

  return (
    <>
      <div class="filters">
        <Field label={texts.value.history.type}>
          {(attributes) => (
            <select
              {...attributes}
              value={kind.value}
              onChange={(event) => {
                kind.value = event.currentTarget.value as Kind | "";
              }}
            >
              <option value="">{texts.value.history.every}</option>
              {kinds.map((one) => (
                <option key={one} value={one}>
                  {texts.value.entries[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {([from, to] as const).map((day, at) => (
          <Field key={at === 0 ? "from" : "to"} label={at === 0 ? texts.value.history.from : texts.value.history.to}>
            {(attributes) => (
              <input
                {...attributes}
                type="date"
                value={day.value}
                {...(at === 1 && from.value ? { min: from.value } : {})}
                onChange={(event) => {
                  day.value = event.currentTarget.value;
                }}
              />
            )}
          </Field>
        ))}
      </div>
      <section class="sheet" aria-busy={entries.state.value === "loading"}>
        {entries.rows.value.length > 0 && <Entries entries={entries.rows.value} />}
        <Rest pages={entries} none={texts.value.history.none} end={texts.value.history.end} />
      </section>
      <Table key={about} wanted={wanted} />
      <Months />
    </>
  );
}

/** Midnight, where the reader is, at which a day begins, or one of those behind it. */
function startOf(day: string, later = 0): Date {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later);
}

/** What is listed above, all pages of it, as one file that is made in the browser. */
function Table({ wanted }: { wanted: Stretch }) {
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const address = useSignal<string | null>(null);
  useEffect(
    () => () => {
      if (address.value !== null) URL.revokeObjectURL(address.value);
    },
    [address],
  );

  const make = async () => {
    busy.value = true;
    said.value = null;
    const told = await readTable(wanted).catch(() => null);
    busy.value = false;
    if (told === null) said.value = texts.value.common.nobodyAnswers;
    else if (typeof told === "string") address.value = URL.createObjectURL(new Blob([told], { type: "text/csv" }));
    else said.value = sentenceFor(told, texts.value);
  };
  return (
    <section class="sheet">
      <h2>{texts.value.history.table}</h2>
      {said.value && <Told warning>{said.value}</Told>}
      {address.value === null ? (
        <Act busy={busy.value} onPress={() => void make()}>
          {texts.value.history.csv}
        </Act>
      ) : (
        <p role="status">
          <a class="button" href={address.value} download="wallet.csv">
            {texts.value.history.saveTable}
          </a>
        </p>
      )}
    </section>
  );
}

async function readTable(wanted: Stretch): Promise<string | Problem> {
  let text = "";
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const query: Stretch & { limit: number; cursor?: string } = {
      limit: 100,
      ...wanted,
      ...(cursor === null ? {} : { cursor }),
    };
    const headers = { Accept: "text/csv" };
    const { data, error, response } = await api.GET("/wallet/transactions", {
      params: { query },
      headers,
      parseAs: "text",
    });
    if (error !== undefined) return error;
    const told = String(data);
    // each page has the line with the columns' names
    text += page === 0 ? told : told.slice(told.indexOf("\n") + 1);
    const next: string | undefined = /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
    cursor = next === undefined ? null : new URLSearchParams(next.replace(/^[^?]*\?/, "")).get("cursor");
    if (cursor === null) break;
  }
  return text;
}

/** A file for each month since the wallet was opened; months are those of India, as the limits' are. */
function Months() {
  const [me, again] = useLoaded(() => api.GET("/me"));
  const shown = useSignal(MONTHS);
  return (
    <section class="sheet">
      <h2>{texts.value.history.months}</h2>
      <p class="quiet">{texts.value.history.monthsLead}</p>
      <Shown loaded={me.value} again={again}>
        {({ created_at }) => {
          const months = monthsSince(new Date(created_at));
          return (
            <>
              <ul class="rows">
                {months.slice(0, shown.value).map((one) => (
                  <li key={one}>
                    <Month month={one} />
                  </li>
                ))}
              </ul>
              {months.length > shown.value && (
                <Act
                  plain
                  onPress={() => {
                    shown.value += MONTHS;
                  }}
                >
                  {texts.value.history.more}
                </Act>
              )}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

/** `2026-11`, `2026-10`, … down to the month of `first`. */
function monthsSince(first: Date): string[] {
  const last = dateOf(first).slice(0, 7);
  const months: string[] = [];
  for (let one = dateOf(new Date()).slice(0, 7); one >= last; ) {
    months.push(one);
    const [year = 0, month = 1] = one.split("-").map(Number);
    one = month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, "0")}`;
  }
  return months;
}

function Month({ month }: { month: string }) {
  const work = useWork();
  const link = useSignal<Schemas["StatementLink"] | null>(null);
  const name = nameOfMonth(month);
  const fetchIt = async () => {
    const told = await api.GET("/wallet/statements/{month}", { params: { path: { month } } });
    link.value = told.data ?? null;
    return told;
  };
  return (
    <>
      <div class="row still">
        <span>{name}</span>
        {link.value === null ? (
          <Act busy={work.busy} onPress={() => void work.run(fetchIt)}>
            {texts.value.history.download}
            <span class="unseen"> {name}</span>
          </Act>
        ) : (
          // a page to print or to keep, on another origin, which this page itself may not ask
          <a class="button first" href={link.value.url} target="_blank" rel="noreferrer">
            {texts.value.history.look}
            <span class="unseen"> {name}</span>
          </a>
        )}
      </div>
      {link.value !== null && (
        <p class="quiet" role="status">
          {link.value.complete ? texts.value.history.opens : texts.value.history.soFar}
        </p>
      )}
      {work.said}
    </>
  );
}
