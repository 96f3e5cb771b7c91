/** Times and days as on statements and in messages: India's, wherever somebody is at the moment. */
import { locale } from "../texts";

const INDIA = "Asia/Kolkata";
/** India's clocks are never changed. */
const OFFSET_MS = 330 * 60_000;
const DAY_MS = 86_400_000;

const inIndia = (at: Date, style: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(locale.value, { ...style, timeZone: INDIA }).format(at);

export const whenOf = (time: string): string => inIndia(new Date(time), { dateStyle: "medium", timeStyle: "short" });

export const dayOf = (time: string): string => inIndia(new Date(time), { dateStyle: "long" });

export const timeOf = (at: Date): string => inIndia(at, { timeStyle: "short" });

/** Such as `November 2026`, of `2026-11`. */
export const nameOfMonth = (month: string): string =>
  inIndia(midnightOf(`${month}-01`), { month: "long", year: "numeric" });

/** The day that it is in India at that moment, `2026-11-30`. */
export const dateOf = (at: Date): string => new Date(at.getTime() + OFFSET_MS).toISOString().slice(0, 10);

/** The moment at which a day of India's begins, or one of those behind it. */
export const midnightOf = (date: string, later = 0): Date =>
  new Date(Date.parse(`${date}T00:00:00Z`) - OFFSET_MS + later * DAY_MS);
