/** Who runs this wallet, by `/operator.json` beside the app: a deployment writes it, and what it leaves out isn't shown. */
import { signal } from "@preact/signals";

export interface Operator {
  name?: string;
  support_phone?: string;
  support_email?: string;
  nodal_officer?: string;
  address?: string;
  /** Where the pretend phone is, which pays and gets messages in a stack on one's own machine. */
  simulator_url?: string;
}

const FIELDS = ["name", "support_phone", "support_email", "nodal_officer", "address", "simulator_url"] as const;

export const operator = signal<Operator>({});

let isAsked = false;

/** Asks once; where there is no such file everything is said without it. */
export function askOperator(): void {
  if (isAsked) return;
  isAsked = true;
  // whoever was offline may ask again
  ask().catch(() => {
    isAsked = false;
  });
}

async function ask(): Promise<void> {
  const answer = await fetch("/operator.json", { credentials: "omit" });
  if (!answer.ok) return;
  const given: unknown = await answer.json();
  if (typeof given !== "object" || given === null) return;
  const read: Operator = {};
  for (const field of FIELDS) {
    const value: unknown = (given as Record<string, unknown>)[field];
    if (typeof value === "string" && value.trim() !== "") read[field] = value.trim();
  }
  if (read.simulator_url !== undefined && !/^https?:\/\//.test(read.simulator_url)) delete read.simulator_url;
  operator.value = read;
}
