/**
 * What the browser keeps between two visits, for what may also be forgotten: storage that throws has kept nothing. The key
 * of an intention to move money may not (api/intention.ts): what can't be kept there is not sent.
 */

export function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Null: it is not kept any more. */
export function store(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    // the next visit goes without it
  }
}
