/** A shop's day: read whole once, and from then on only as far back as something new can be. */
import type { Schemas } from "../api/client";
import type { Answer } from "../api/sending";
import { readStatement } from "../api/statement";
import { dateOf, midnightOf } from "./times";

type Entry = Schemas["Entry"];

export interface Day {
  /** In India, as the days of limits and statements are. */
  date: string;
  /** All of them, the newest first. */
  entries: Entry[];
}

const PAGE = 100;
/**
 * A payment is dated while it is booked, and seen once it is committed: of two that are booked at once, the earlier may be
 * seen later. No request of the API takes longer than half a minute.
 */
const OVERLAP_MS = 60_000;

/**
 * Asks for the day so far. What it has read it keeps, also the pages before one whose answer was lost: those go on from
 * there, as a cursor is of what there was when its list began.
 *
 * The list has no ETag. The wallet's would not do: money that came and was given back leaves the balance as it was.
 */
export function dayReader(): () => Promise<Answer<Day>> {
  let day: Day = { date: "", entries: [] };
  let begun: { date: string; from: string; found: Entry[]; cursor: string | null } | null = null;
  /** How far the API's clock is ahead of the device's, which may be wrong. */
  let aheadMs = 0;
  const today = () => dateOf(new Date(Date.now() + aheadMs));
  let reading: Promise<Answer<Day>> | null = null;

  const read = async (): Promise<Answer<Day>> => {
    const date = today();
    if (day.date !== date) day = { date, entries: [] };
    if (begun?.date !== date) begun = null;
    begun ??= { date, from: beginningOf(day).toISOString(), found: [], cursor: null };
    for (;;) {
      const { from, found, cursor } = begun;
      const answer = await readStatement({ from }, PAGE, cursor);
      if (answer.data === undefined) {
        // a refusal may be the cursor's: begin with none
        if (answer.response.status < 500 && answer.response.status !== 429) begun = null;
        return { ...answer, data: undefined };
      }
      aheadMs = aheadOf(answer.response) ?? aheadMs;
      if (today() !== date) return read();
      found.push(...answer.data.data);
      begun.cursor = answer.data.next_cursor;
      if (begun.cursor !== null) continue;
      begun = null;
      const known = new Set(found.map((one) => one.id));
      day = { date, entries: [...found, ...day.entries.filter((one) => !known.has(one.id))] };
      return { ...answer, data: day };
    }
  };
  return () => {
    // two at once would read the same pages twice
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };
}

/** Null: the answer doesn't say when it was given. */
function aheadOf(answer: Response): number | null {
  const at = Date.parse(answer.headers.get("Date") ?? "");
  return Number.isNaN(at) ? null : at - Date.now();
}

function beginningOf({ date, entries }: Day): Date {
  const midnight = midnightOf(date);
  const newest = entries[0];
  return newest === undefined
    ? midnight
    : new Date(Math.max(midnight.getTime(), Date.parse(newest.created_at) - OVERLAP_MS));
}
