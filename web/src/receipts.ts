/** Receipts on their way: a link has all of one behind its #, which no server is sent. */
import { api, type Problem } from "./api/client";

/** Longer links get cut off: by some messengers, and by whoever copies them. */
const LONGEST = 6000;

/** One as it is handed on; `hasBalance`: it is from before receipts could leave the balance out. */
export interface OwnReceipt {
  text: string;
  hasBalance: boolean;
}

/** The receipt of one of the caller's entries, or why there is none. Throws where nobody has answered. */
export async function fetchReceipt(id: string): Promise<{ data?: OwnReceipt; error?: Problem }> {
  const { data, error } = await api.GET("/wallet/transactions/{id}/proof", { params: { path: { id } } });
  if (data !== undefined) return { data: { text: JSON.stringify(data), hasBalance: data.format === "wallet proof 1" } };
  // what stands between us and the API answers in a form of its own
  if (typeof (error as Partial<Problem> | undefined)?.code !== "string") throw new Error("not answered");
  return { error: error as Problem };
}

/** What a link has behind its #, null if it would be too long: a busy minute's has a hash for each entry behind it. */
export function packed(receipt: string): string | null {
  const bytes = new TextEncoder().encode(receipt);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const short = text.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  return short.length > LONGEST ? null : short;
}

/** The same backwards; null if it is no receipt's. */
export function unpacked(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const signs = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(signs, (sign) => sign.charCodeAt(0));
  } catch {
    return null;
  }
}
