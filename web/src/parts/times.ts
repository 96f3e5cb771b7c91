/** Times and days as on statements and in messages: India's, wherever somebody is at the moment. */
import { computed } from "@preact/signals";
import { locale } from "../texts";

const INDIA = "Asia/Kolkata";
/** India's clocks are never changed. */
const OFFSET_MS = 330 * 60_000;
const DAY_MS = 86_400_000;

/** As `style` says, in the language that is spoken at that moment. */
function inIndia(style: Intl.DateTimeFormatOptions): (at: Date) => string {
  // one is made for a language, and a list asks for many times
  const format = computed(() => new Intl.DateTimeFormat(locale.value, { ...style, timeZone: INDIA }));
  return (at) => format.value.format(at);
}

const moment = inIndia({ dateStyle: "medium", timeStyle: "short" });
const day = inIndia({ dateStyle: "long" });
const month = inIndia({ month: "long", year: "numeric" });

export const whenOf = (time: string): string => moment(new Date(time));

export const dayOf = (time: string): string => day(new Date(time));

export const timeOf = inIndia({ timeStyle: "short" });

/** Such as `November 2026`, of `2026-11`. */
export const nameOfMonth = (yearAndMonth: string): string => month(midnightOf(`${yearAndMonth}-01`));

/** The day that it is in India at that moment, `2026-11-30`. */
export const dateOf = (at: Date): string => new Date(at.getTime() + OFFSET_MS).toISOString().slice(0, 10);

/** The moment at which a day of India's begins, or one of those behind it. */
export const midnightOf = (date: string, later = 0): Date =>
  new Date(Date.parse(`${date}T00:00:00Z`) - OFFSET_MS + later * DAY_MS);
