/** Receipts on their way: a link has all of one behind its #, which no server is sent. */
/** Longer links get cut off: by some messengers, and by whoever copies them. */
const LONGEST = 6000;

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
