/**
 * One intention to move money: its key is born with the form and outlives reload, back button, another tab and a lost
 * connection. Nothing else of it is kept: no payee, no amount. While its outcome is open every tab of this browser has
 * the same key, so that at most one payment can come of it. Each user has their own.
 */
import { owner } from "./session";

/** Payments are given back one by one: what is open of one says nothing of another. */
export type Kind = "payment" | "top_up" | "withdrawal" | `refund ${string}`;

const place = (kind: Kind) => `open ${kind} ${owner.value}`;

/** The key of an intention whose outcome is open, if there is one. */
export const openKey = (kind: Kind): string | null => localStorage.getItem(place(kind));

/** The key that a form's request goes under: that of the open intention, else a new one, kept from now on. */
export function keyFor(kind: Kind): string {
  const known = openKey(kind);
  if (known !== null) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(place(kind), made);
  return made;
}

/**
 * The outcome of `key` is known: the next form has another. A refusal is an outcome only where no attempt under the key
 * was ever lost: a lost one may still arrive, behind the refusal of its repetition.
 */
export function closeIntention(kind: Kind, key: string): void {
  if (openKey(kind) === key) localStorage.removeItem(place(kind));
}

/** Calls `changed` when another tab has opened or closed an intention of this kind. */
export function watchIntention(kind: Kind, changed: () => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key === place(kind)) changed();
  };
  addEventListener("storage", onStorage);
  return () => removeEventListener("storage", onStorage);
}
