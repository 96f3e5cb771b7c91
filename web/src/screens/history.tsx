import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type Problem, type Schemas } from "../api/client";
import { readStatement, type Stretch } from "../api/statement";
import { Entries } from "../parts/entries";
import { Act, Field, Note } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Rest, WhenLoaded } from "../parts/loading";
import { usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { dateOf, midnightOf, nameOfMonth } from "../parts/times";
import { useWork } from "../parts/work";
import { rowOf, tableOf } from "../table";
import { texts } from "../texts";

type Kind = Schemas["Entry"]["type"];
/** So many months are shown at once; who wants older ones asks for them. */
const MONTHS = 6;
/** A link to a month's file opens for five minutes: one that is over would lead to an error that says nothing. */
const OPENS_MS = 270_000;
/** The API's longest, for the table. */
const PAGE = 100;
/** What the calendar of a field takes: a year that is being typed is none of these yet. */
const IS_DAY = /^2[0-9]{3}-/;

/** Everything that has moved, as a list and as a table, and the months as files. */
export function History() {
  const kind = useSignal<Kind | "">("");
  const today = dateOf(new Date());
  const from = useSignal("");
  const to = useSignal("");
  const isBackwards = to.value !== "" && from.value > to.value;
  const wanted: Stretch = {
    ...(kind.value ? { type: kind.value } : {}),
    ...(from.value ? { from: midnightOf(from.value).toISOString() } : {}),
    ...(to.value ? { to: midnightOf(to.value, 1).toISOString() } : {}),
  };
  const about = JSON.stringify(wanted);
  const isAll = about === "{}";
  const entries = usePages((cursor) => (isBackwards ? nothing() : readStatement(wanted, 50, cursor)), about);
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
          <Field
            key={at === 0 ? "from" : "to"}
            label={at === 0 ? texts.value.history.from : texts.value.history.to}
            fault={at === 1 && isBackwards ? texts.value.history.backwards : null}
          >
            {(attributes) => (
              <input
                {...attributes}
                type="date"
                value={day.value}
                min={at === 1 && from.value ? from.value : "2000-01-01"}
                max={today}
                onChange={(event) => {
                  const chosen = event.currentTarget.value;
                  day.value = IS_DAY.test(chosen) ? chosen : "";
                }}
              />
            )}
          </Field>
        ))}
      </div>
      <section class="sheet" aria-busy={entries.state.value === "loading"}>
        {entries.rows.value.length > 0 && <Entries entries={entries.rows.value} />}
        <Rest
          pages={entries}
          none={isAll ? texts.value.home.nothingYet : texts.value.history.none}
          end={texts.value.history.end}
        />
      </section>
      {entries.rows.value.length > 0 && <Table key={about} wanted={wanted} />}
      <Months />
    </>
  );
}

/** What a stretch has that ends before it begins. */
const nothing = async () => ({ data: { data: [], next_cursor: null }, response: new Response() });

/** What is listed above, all pages of it, as one file that is made in the browser. */
function Table({ wanted }: { wanted: Stretch }) {
  const rows = useSignal(0);
  const isReading = useSignal(false);
  const message = useSignal<string | null>(null);
  const address = useSignal<string | null>(null);
  /** What has been read: who tries again goes on from there, as the pages are of what there was at the first. */
  const read = useRef<{ lines: string[]; cursor: string | null }>({ lines: [], cursor: null });
  /** Another one with each press: what was stopped ends with its next answer. */
  const turn = useRef(0);
  useEffect(
    () => () => {
      turn.current += 1;
      if (address.value !== null) URL.revokeObjectURL(address.value);
    },
    [address],
  );

  const make = async () => {
    turn.current += 1;
    const mine = turn.current;
    isReading.value = true;
    message.value = null;
    const { lines } = read.current;
    do {
      const answer = await readStatement(wanted, PAGE, read.current.cursor).catch(() => null);
      if (mine !== turn.current) return;
      if (answer?.data === undefined) {
        isReading.value = false;
        const problem = answer?.error as Problem | undefined;
        message.value = problem ? sentenceFor(problem, texts.value) : texts.value.common.nobodyAnswers;
        return;
      }
      lines.push(...answer.data.data.map(rowOf));
      rows.value = lines.length;
      read.current.cursor = answer.data.next_cursor;
    } while (read.current.cursor !== null);
    isReading.value = false;
    address.value = URL.createObjectURL(new Blob([tableOf(lines)], { type: "text/csv" }));
  };
  const stop = () => {
    turn.current += 1;
    read.current = { lines: [], cursor: null };
    rows.value = 0;
    isReading.value = false;
  };
  return (
    <section class="sheet">
      <h2>{texts.value.history.table}</h2>
      <p class="quiet">{texts.value.history.tableLead}</p>
      {message.value && <Note warning>{message.value}</Note>}
      {address.value !== null ? (
        <>
          <p role="status">{texts.value.history.tableReady(rows.value)}</p>
          <a class="button" href={address.value} download="wallet.csv">
            {texts.value.history.saveTable}
          </a>
        </>
      ) : (
        <>
          {rows.value > 0 && <p class="quiet">{texts.value.history.soMany(rows.value)}</p>}
          <Act busy={isReading.value} onPress={() => void make()}>
            {rows.value > 0 && !isReading.value ? texts.value.common.tryAgain : texts.value.history.csv}
          </Act>
          {isReading.value && (
            <Act plain onPress={stop}>
              {texts.value.history.stop}
            </Act>
          )}
        </>
      )}
    </section>
  );
}

/** A file for each month since the wallet was opened; months are those of India, as the limits' are. */
function Months() {
  const [me, again] = useLoaded(() => api.GET("/me"));
  const shown = useSignal(MONTHS);
  return (
    <section class="sheet">
      <h2>{texts.value.history.months}</h2>
      <p class="quiet">{texts.value.history.monthsLead}</p>
      <WhenLoaded loaded={me.value} again={again}>
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
      </WhenLoaded>
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
  useEffect(() => {
    if (link.value === null) return;
    const timer = setTimeout(() => {
      link.value = null;
    }, OPENS_MS);
    return () => clearTimeout(timer);
  }, [link.value, link]);
  const fetchIt = async () => {
    const answer = await api.GET("/wallet/statements/{month}", { params: { path: { month } } });
    link.value = answer.data ?? null;
    return answer;
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
      {work.message}
    </>
  );
}
