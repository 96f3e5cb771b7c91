/** The caller's entries, the newest first, a page at a time. */
import { api, type Schemas } from "./client";
import type { Answer } from "./sending";

export interface Stretch {
  type?: Schemas["Entry"]["type"];
  /** The first moment that is read. */
  from?: string;
  /** The first that is not. */
  to?: string;
}

export type Statement = Schemas["Statement"];

export async function readStatement(
  stretch: Stretch,
  limit: number,
  cursor: string | null | undefined = null,
): Promise<Answer<Statement>> {
  const query = { limit, ...stretch, ...(cursor ? { cursor } : {}) };
  const answer = await api.GET("/wallet/transactions", { params: { query } });
  return { ...answer, data: typeof answer.data === "string" ? undefined : answer.data }; // a text is the CSV, which nobody asks for
}
