/** Amounts: whole paise, read exactly from what people type, and never from a float. */

/** The most that the API takes, in paise. */
const MOST = 9_007_199_254_740_991n;

export type Unreadable = "empty" | "no_amount" | "too_many_decimals" | "zero" | "too_much";

const DEVANAGARI_ZERO = 0x0966;

/** `१,५००` → `1,500`: what a Hindi keyboard types for a digit is that digit. */
export const inLatinDigits = (typed: string): string =>
  typed.replace(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - DEVANAGARI_ZERO));

/**
 * Paise of an amount in rupees as people write it: `500`, `1,500.5`, `₹ 1,23,456.78`, `१,५००`. More than two decimals
 * is an error, never a rounding.
 */
export function readAmount(typed: string): number | Unreadable {
  const text = inLatinDigits(typed)
    .replace(/^\s*(₹|rs\.?|inr)/i, "")
    .trim();
  if (text === "") return "empty";
  const parts = /^([0-9][0-9, ]*)(?:\.([0-9]*))?$/.exec(text);
  if (parts === null) return "no_amount";
  const [, whole = "", decimals = ""] = parts;
  if (/[, ]{2}|[, ]$/.test(whole)) return "no_amount";
  if (decimals.length > 2) return "too_many_decimals";
  const paise = BigInt(whole.replace(/[, ]/g, "") + decimals.padEnd(2, "0"));
  if (paise === 0n) return "zero";
  return paise > MOST ? "too_much" : Number(paise);
}

const formats = new Map<string, Intl.NumberFormat>();

/** One for each language: making it takes a slow phone longer than what it is used for. */
function formatOf(locale: string): Intl.NumberFormat {
  const format = formats.get(locale) ?? new Intl.NumberFormat(locale, { style: "currency", currency: "INR" });
  formats.set(locale, format);
  return format;
}

/** `₹1,23,456.78`, grouped the Indian way. */
export function showAmount(paise: number, locale: string): string {
  // exact beyond 2^53 / 100: the integer part and the decimals apart
  const sign = paise < 0 ? "−" : "";
  const digits = String(Math.abs(paise)).padStart(3, "0");
  return sign + formatOf(locale).format(`${digits.slice(0, -2)}.${digits.slice(-2)}` as unknown as number);
}

/** `1250.50`, `-0.05`, `500.00`: as a spreadsheet counts with it. */
export function writeRupees(paise: number): string {
  const digits = String(Math.abs(paise)).padStart(3, "0");
  return `${paise < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** What readAmount reads as these very paise: `1250.50`, `500`, for a field. */
export const writeAmount = (paise: number): string => writeRupees(paise).replace(/\.00$/, "");

/** As many shares as there are people, which differ by a paisa at most and add up to the whole. */
export function share(paise: number, people: number): number[] {
  const least = Math.floor(paise / people);
  return Array.from({ length: people }, (_, at) => (at < paise % people ? least + 1 : least));
}
