/** Entries as a table for a spreadsheet: the API's columns (docs/statements.md), but rupees, as on the month's file. */
import type { Schemas } from "./api/client";
import { writeRupees } from "./money";
import { dateOf } from "./parts/times";

type Entry = Schemas["Entry"];

/** Without it Excel takes UTF-8 for the local code page. */
const BYTE_ORDER_MARK = "\ufeff";
const COLUMNS = [
  "id",
  "type",
  "direction",
  "amount_rupees",
  "balance_after_rupees",
  "counterparty",
  "counterparty_wallet_id",
  "description",
  "reference",
  "rrn",
  "utr",
  "created_at",
  "date_in_india",
];
/** What a spreadsheet takes for the beginning of a formula, in the widths that it knows; as layers/wallet/edge/cells.py. */
const FORMULA = /^'*[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const PHONE = /^\+[1-9][0-9]{6,14}$/;

const cell = (text: string): string => {
  const guarded = FORMULA.test(text) && !PHONE.test(text) ? `'${text}` : text;
  return `"${guarded.replaceAll('"', '""')}"`;
};
const line = (cells: string[]): string => `${cells.join(",")}\r\n`;

export const tableOf = (rows: readonly string[]): string => BYTE_ORDER_MARK + line(COLUMNS.map(cell)) + rows.join("");

/** One line of it. Only amounts are numbers. */
export const rowOf = (one: Entry): string =>
  line([
    cell(one.id),
    cell(one.type),
    cell(one.direction),
    writeRupees(one.amount),
    writeRupees(one.balance_after),
    ...[...otherSide(one), one.description, one.reference, one.rrn, one.utr].map((text) => cell(text ?? "")),
    cell(one.created_at),
    cell(dateOf(new Date(one.created_at))),
  ]);

/** The other side's name, and its wallet's number if it has one. */
function otherSide({ counterparty: other }: Entry): [string, string | null] {
  if ("wallet_id" in other) return [other.name, other.wallet_id];
  if ("vpa" in other) return [other.vpa, null];
  return ["gateway" in other ? other.gateway : other.account, null];
}
