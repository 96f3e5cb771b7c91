/** A sum that several people share: a request for each, which belong together by what their descriptions say. */

export const MOST_PEOPLE = 20;

/** `Dinner (2/4)`: the second of four. */
export const partOf = (what: string, at: number, of: number): string => `${what} (${at}/${of})`.trim();

/** What the parts are for, and how many there are; null: it is no part of anything. */
export function wholeOf(description: string | null): { what: string; of: number } | null {
  const found = /^(.*?) ?\(([0-9]{1,2})\/([0-9]{1,2})\)$/.exec(description ?? "");
  return found === null ? null : { what: found[1] ?? "", of: Number(found[3]) };
}

/** Parts that stand one after another in the list are one line of it. */
export function together<T extends { id: string; description: string | null }>(rows: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (const row of rows) {
    const whole = wholeOf(row.description);
    const last = groups.at(-1);
    const before = wholeOf(last?.[0]?.description ?? null);
    const isNext =
      whole !== null &&
      before !== null &&
      last !== undefined &&
      last.length < whole.of &&
      before.what === whole.what &&
      before.of === whole.of;
    if (isNext) last.push(row);
    else groups.push([row]);
  }
  return groups;
}
