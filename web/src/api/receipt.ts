/** The proof of one of the caller's entries, as a file that anybody can check. */
import { api, type Problem } from "./client";

/** One as it is handed on; `hasBalance`: it is from before receipts could leave the balance out. */
export interface OwnReceipt {
  text: string;
  hasBalance: boolean;
}

/** The receipt, or why there is none. Throws where nobody has answered. */
export async function fetchReceipt(id: string): Promise<{ data?: OwnReceipt; error?: Problem }> {
  const { data, error } = await api.GET("/wallet/transactions/{id}/proof", { params: { path: { id } } });
  if (data === undefined) return { error };
  return { data: { text: JSON.stringify(data), hasBalance: data.format === "wallet proof 1" } };
}
