/** Whom somebody means by what they type, paste or scan. No name in it is believed: the API is asked for that. */

import { inLatinDigits } from "./money";

export type PayeeRef = { payment_request: string } | { qr: string } | { wallet_id: string } | { phone: string };

/** Null: that is no payee. A link counts by what stands behind its #, wherever it leads. */
export function readPayee(typed: string): PayeeRef | null {
  const text = typed.trim();
  const request = /(?:^|#|payment-request:)(prq_[A-Za-z0-9]+)$/.exec(text);
  if (request?.[1]) return { payment_request: request[1] };
  if (/^wallet:wal_[A-Za-z0-9]+$/.test(text)) return { qr: text };
  if (/^wal_[A-Za-z0-9]+$/.test(text)) return { wallet_id: text };
  const phone = readPhone(text);
  return phone === null ? null : { phone };
}

/** `98765 43210`, `098765-43210`, `+91 98765 43210`, `९८७६५ ४३२१०` → `+919876543210`. */
export function readPhone(typed: string): string | null {
  const text = inLatinDigits(typed).replace(/[\s().-]/g, "");
  if (/^\+[1-9][0-9]{7,14}$/.test(text)) return text;
  const national = /^0?([6-9][0-9]{9})$/.exec(text);
  return national?.[1] ? `+91${national[1]}` : null;
}

/** `+919876543210` → `+91 98765 43210`, in one line; what isn't Indian has groups of its own, which nobody here knows. */
export const showPhone = (phone: string): string => phone.replace(/^(\+91)([6-9]\d{4})(\d{5})$/, "$1\u00a0$2\u00a0$3");

/** What the API takes for a UPI address (ledger/vpa.py). */
export const isVpa = (text: string): boolean =>
  text.length <= 100 && /^[a-z0-9][a-z0-9._-]+@[a-z][a-z0-9]+$/i.test(text);
