/**
 * Checks a receipt: that one entry of the ledger is under a checkpoint that a key has signed.
 *
 * Written from docs/audit.md, as verifier/verify.py is, and held against it by tests. It knows no page, no session and
 * nobody's word: a text, public keys, SHA-256 and RSA of the browser.
 */
import { canonical, type Json, type JsonObject, readJson, UnreadableError } from "./json";

/** What is wrong: it is no receipt, no such key has signed its checkpoint, or its entry is not under that. */
export type Fault = "unreadable" | "signature" | "chain";

/** One wallet's side of the entry. Ids are 32 hexadecimal digits, amounts are paise. */
export interface Side {
  walletId: string;
  direction: "debit" | "credit";
  amount: number;
}

export interface Proven {
  is: "proven";
  /** In form 1 the text itself has the balance of whoever it is from; in form 2 it has nobody's. */
  form: 1 | 2;
  transactionId: string;
  type: string;
  currency: string;
  /** RFC 3339 in UTC, to the microsecond. */
  createdAt: string;
  sides: Side[];
  checkpoint: { number: number; sealedAt: string; position: number; ledger: string };
  /** Which of the keys has signed it. */
  key: number;
  /** Whether this wallet is the other side: true, false, or null where the receipt doesn't let anybody see that. */
  isOtherSide: (walletId: string) => Promise<boolean | null>;
}

export type Verdict = Proven | { is: "refused"; why: Fault };

const TRANSACTION_SHOWN = ["id", "type", "currency", "created_at"];
const POSTING_SHOWN = ["line", "account_id", "side", "amount"];
const TRANSACTION = [
  ...TRANSACTION_SHOWN,
  "amount",
  "actor_id",
  "description",
  "reference",
  "attempt_id",
  "gateway",
  "gateway_payment_id",
  "suspense_reason",
  "cause_id",
  "hold_id",
  "withdrawal_id",
  "source_refund_id",
];
const POSTING = [...POSTING_SHOWN, "slot", "type", "entry_no", "balance_after", "created_at"];
const STATEMENT = [
  "format",
  "ledger",
  "number",
  "first",
  "last",
  "chain_before",
  "chain",
  "previous",
  "sealed_at",
  "balances",
  "entries",
];
const PARTS = ["format", "transaction", "lines", "before", "after", "statement", "signature"];
/** So many transactions are under one checkpoint at most. */
const BATCH = 1000;
/** Bytes: more than a receipt over a full checkpoint has. */
export const LARGEST = 256 * 1024;

/** Checks the bytes of a receipt against public keys (SubjectPublicKeyInfo, DER). */
export async function verify(receipt: Uint8Array, keys: readonly Uint8Array[]): Promise<Verdict> {
  let read: Read;
  try {
    if (receipt.length > LARGEST) throw new UnreadableError("it is larger than a receipt can be");
    read = readProof(readJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(receipt)));
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof TypeError) return { is: "refused", why: "unreadable" };
    throw error;
  }
  const { statement } = read;
  const key = await signerOf(bytes(canonical(statement)), read.signature, keys);
  if (key === null) return { is: "refused", why: "signature" };
  let chain = read.before;
  for (const leaf of [await leafOf(read), ...read.after]) chain = await hash("wallet chain 1", chain, leaf);
  const position = whole(statement.last) - read.after.length;
  if (hex(chain) !== statement.chain || position < whole(statement.first)) return { is: "refused", why: "chain" };
  return {
    is: "proven",
    form: read.form,
    transactionId: String(read.transaction.id),
    type: String(read.transaction.type),
    currency: String(read.transaction.currency),
    createdAt: String(read.transaction.created_at),
    sides: read.sides,
    checkpoint: {
      number: whole(statement.number),
      sealedAt: String(statement.sealed_at),
      position,
      ledger: String(statement.ledger),
    },
    key,
    isOtherSide: (walletId) => isOtherSide(read, walletId),
  };
}

/** The SHA-256 of a key, hexadecimal: what people compare. */
export async function fingerprint(key: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", plain(key))));
}

/** A public key from a file: DER, or PEM. Null if it is none that checkpoints can be signed with. */
export async function readKey(file: Uint8Array): Promise<Uint8Array | null> {
  const text = new TextDecoder("latin1").decode(file);
  const inner = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(text)?.[1];
  try {
    const der = inner === undefined ? file : base64(inner.replace(/\s/g, ""));
    const { algorithm } = await imported(der);
    return (algorithm as RsaHashedKeyAlgorithm).modulusLength >= 2048 ? der : null;
  } catch {
    return null;
  }
}

/** A wallet's or a transaction's id as people see it: `wal_` and 26 digits of Crockford's base 32. */
export function shownId(prefix: string, id: string): string {
  let number = BigInt(`0x${id}`);
  let digits = "";
  for (let digit = 0; digit < 26; digit += 1) {
    digits = DIGITS[Number(number & 31n)] + digits;
    number >>= 5n;
  }
  return `${prefix}_${digits}`;
}

/** The same backwards; null if it is no such id. */
export function readId(prefix: string, shown: string): string | null {
  const digits = shown.startsWith(`${prefix}_`) ? shown.slice(prefix.length + 1) : "";
  if (digits.length !== 26) return null;
  let number = 0n;
  for (const digit of digits) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return null;
    number = (number << 5n) | BigInt(value);
  }
  const id = number.toString(16).padStart(32, "0");
  return id.length === 32 ? id : null;
}

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

// ------------------------------------------------------------------------------------------------ reading

/** What is hashed for a line or for the transaction's own columns; a hash alone if nothing of it is shown. */
type Part = { hash: Uint8Array } | { word: string; salt: Uint8Array; hidden: Uint8Array; shown: JsonObject };

interface Read {
  form: 1 | 2;
  transaction: JsonObject;
  sides: Side[];
  head: Part;
  lines: Part[];
  /** Of a pair's other line: all but its account, and its hash. */
  other: { line: JsonObject; salt: Uint8Array; hidden: Uint8Array; hash: Uint8Array } | null;
  before: Uint8Array;
  after: Uint8Array[];
  statement: JsonObject;
  signature: Uint8Array;
}

/** The parts of a proof, if it has those that it should and nothing beside them that could be taken for proven. */
function readProof(proof: Json): Read {
  const given = object(proof);
  const form = given.format === "wallet proof 1" ? 1 : 2;
  if (given.format !== `wallet proof ${form}`) throw new UnreadableError("it is no proof");
  exactly(given, form === 1 ? [...PARTS, "salt"] : PARTS);
  const statement = readStatement(given.statement, form);
  const lines = list(given.lines, 1, 255);
  const transaction = object(form === 1 ? given.transaction : object(given.transaction).shown);
  exactly(transaction, form === 1 ? TRANSACTION : TRANSACTION_SHOWN);
  plainColumns(transaction);
  fromHex(transaction.id, 16);
  time(transaction.created_at);
  if (typeof transaction.type !== "string" || typeof transaction.currency !== "string")
    throw new UnreadableError("type");
  const read = lines.map((line, index) =>
    form === 1 ? readWhole(object(line), index + 1) : readInTwo(object(line), index + 1),
  );
  const shown = read.flatMap(({ posting }) => (posting === null ? [] : [posting]));
  if (shown.length === 0) throw new UnreadableError("it shows no line");
  return {
    form,
    transaction,
    sides: shown.map((posting) => ({
      walletId: String(posting.account_id),
      direction: posting.side === "debit" ? "debit" : "credit",
      amount: whole(posting.amount),
    })),
    head:
      form === 1
        ? { word: "wallet transaction 1", salt: fromHex(given.salt, 16), hidden: NOTHING, shown: transaction }
        : readOpened(object(given.transaction), "wallet transaction 2"),
    lines: read.map(({ part }) => part),
    other: form === 2 ? readOther(lines.map(object), shown) : null,
    before: fromHex(given.before, 32),
    after: list(given.after, 0, BATCH - 1).map((leaf) => fromHex(leaf, 32)),
    statement,
    signature: base64(given.signature),
  };
}

const NOTHING = new Uint8Array(0);

function readStatement(given: Json | undefined, form: 1 | 2): JsonObject {
  const statement = object(given);
  exactly(statement, STATEMENT);
  if (statement.format !== `wallet checkpoint ${form}`)
    throw new UnreadableError("proof and checkpoint are of two forms");
  for (const name of ["number", "first", "last"]) whole(statement[name]);
  for (const name of ["chain_before", "chain", "previous", "entries"]) fromHex(statement[name], 32);
  fromHex(statement.ledger, 16);
  time(statement.sealed_at);
  if (form === 2) fromHex(statement.balances, 32);
  else
    for (const accounts of Object.values(object(statement.balances)))
      for (const amount of Object.values(object(accounts))) whole(amount);
  return statement;
}

function readWhole(given: JsonObject, line: number): { part: Part; posting: JsonObject | null } {
  if (!("posting" in given)) return readHash(given);
  exactly(given, ["posting", "salt"]);
  const posting = readPosting(given.posting, POSTING, line);
  const part = { word: "wallet posting 1", salt: fromHex(given.salt, 16), hidden: NOTHING, shown: posting };
  return { part, posting };
}

function readInTwo(given: JsonObject, line: number): { part: Part; posting: JsonObject | null } {
  if ("shown" in given) {
    const posting = readPosting(given.shown, POSTING_SHOWN, line);
    return { part: readOpened(given, "wallet posting 2"), posting };
  }
  return "salt" in given ? readHash(given, ["salt", "hidden"]) : readHash(given);
}

function readHash(given: JsonObject, more: string[] = []): { part: Part; posting: null } {
  exactly(given, ["hash", ...more]);
  return { part: { hash: fromHex(given.hash, 32) }, posting: null };
}

function readOpened(given: JsonObject, word: string): Part {
  exactly(given, ["shown", "salt", "hidden"]);
  return { word, salt: fromHex(given.salt, 16), hidden: fromHex(given.hidden, 32), shown: object(given.shown) };
}

function readPosting(given: Json | undefined, columns: readonly string[], line: number): JsonObject {
  const posting = object(given);
  exactly(posting, columns);
  plainColumns(posting);
  fromHex(posting.account_id, 16);
  if (posting.line !== line) throw new UnreadableError("a posting is not at its line");
  if ((posting.side !== "debit" && posting.side !== "credit") || whole(posting.amount) <= 0)
    throw new UnreadableError("a posting is neither a debit nor a credit of an amount");
  return posting;
}

/** Of a pair, what the other line is like follows from the one that is shown: as much, on the other side. */
function readOther(lines: JsonObject[], shown: JsonObject[]): Read["other"] {
  const [own] = shown;
  const other = lines.find((line) => !("shown" in line));
  for (const line of lines) {
    if (!("hash" in line) || !("salt" in line)) continue;
    fromHex(line.salt, 16);
    fromHex(line.hidden, 32);
  }
  if (lines.length !== 2 || own === undefined || other === undefined || !("salt" in other)) return null;
  const side = own.side === "debit" ? "credit" : "debit";
  return {
    line: { line: 3 - whole(own.line), side, amount: whole(own.amount) },
    salt: fromHex(other.salt, 16),
    hidden: fromHex(other.hidden, 32),
    hash: fromHex(other.hash, 32),
  };
}

function object(given: Json | undefined): JsonObject {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new UnreadableError("no object");
  return given;
}

function list(given: Json | undefined, least: number, most: number): Json[] {
  if (!Array.isArray(given) || given.length < least || given.length > most)
    throw new UnreadableError("no list, or too long");
  return given;
}

function exactly(given: JsonObject, names: readonly string[]): void {
  const found = Object.keys(given);
  if (found.length !== names.length || !names.every((name) => name in given)) throw new UnreadableError("other names");
}

/** Columns are texts, whole numbers and nothing. */
function plainColumns(record: JsonObject): void {
  for (const value of Object.values(record))
    if (value !== null && typeof value !== "string" && typeof value !== "number") throw new UnreadableError("a column");
}

function whole(given: Json | undefined): number {
  if (typeof given !== "number") throw new UnreadableError("no whole number");
  return given;
}

function time(given: Json | undefined): void {
  const isTime = typeof given === "string" && /^\d{4}(-\d\d){2}T\d\d(:\d\d){2}\.\d{6}Z$/.test(given);
  // the calendar has the last word: of the 30th of February another day is made
  const day = isTime ? new Date(given) : null;
  if (day === null || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 19) !== String(given).slice(0, 19))
    throw new UnreadableError("no time");
}

function fromHex(given: Json | undefined, size: number): Uint8Array {
  if (typeof given !== "string" || given.length !== 2 * size || !/^[0-9a-f]*$/.test(given))
    throw new UnreadableError("no such bytes");
  return Uint8Array.from({ length: size }, (_, at) => Number.parseInt(given.slice(2 * at, 2 * at + 2), 16));
}

/** Base64 in the one way in which it is written: the bits behind its end are zero. */
function base64(given: Json | undefined): Uint8Array {
  if (typeof given !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(given) || given.length % 4 !== 0)
    throw new UnreadableError("no base64");
  const signs = atob(given);
  if (btoa(signs) !== given) throw new UnreadableError("no base64");
  return Uint8Array.from(signs, (sign) => sign.charCodeAt(0));
}

// ------------------------------------------------------------------------------------------------ hashing

const hex = (given: Uint8Array): string => Array.from(given, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** WebCrypto takes no memory that is shared, which none here is. */
const plain = (given: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(given);

/** SHA-256 over a word, which tells what is hashed from all else, and that. */
async function hash(word: string, ...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const all = [bytes(`${word}\n`), ...parts];
  const whole = new Uint8Array(all.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

const hashOf = async (part: Part): Promise<Uint8Array> =>
  "hash" in part ? part.hash : hash(part.word, part.salt, part.hidden, bytes(canonical(part.shown)));

const leafOf = async (read: Read): Promise<Uint8Array> =>
  hash(`wallet leaf ${read.form}`, await hashOf(read.head), ...(await Promise.all(read.lines.map(hashOf))));

async function isOtherSide({ other }: Read, walletId: string): Promise<boolean | null> {
  if (other === null) return null;
  const shown = { ...other.line, account_id: walletId };
  return (
    hex(await hashOf({ word: "wallet posting 2", salt: other.salt, hidden: other.hidden, shown })) === hex(other.hash)
  );
}

const imported = (key: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("spki", plain(key), { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);

/** Which of the keys has signed it, null if none has. */
async function signerOf(
  message: Uint8Array,
  signature: Uint8Array,
  keys: readonly Uint8Array[],
): Promise<number | null> {
  for (const [index, key] of keys.entries()) {
    const isSigned = await crypto.subtle.verify(
      "RSASSA-PKCS1-v1_5",
      await imported(key),
      plain(signature),
      plain(message),
    );
    if (isSigned) return index;
  }
  return null;
}
