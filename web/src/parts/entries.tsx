import type { Schemas } from "../api/client";
import { addressOf } from "../router";
import { texts } from "../texts";
import { rupees } from "./amounts";
import { whenOf } from "./times";

/** Who stands on the other side of an entry. */
export function otherSide({ counterparty }: Schemas["Entry"]): string {
  if ("name" in counterparty) return counterparty.name;
  if ("vpa" in counterparty) return counterparty.vpa;
  if ("gateway" in counterparty) return "UPI";
  return "";
}

export function Entries({ entries }: { entries: Schemas["Entry"][] }) {
  return (
    <ul class="rows">
      {entries.map((entry) => (
        <li key={entry.id}>
          <a class="row" href={addressOf("entry", entry.id)}>
            <span>{otherSide(entry) || texts.value.entries[entry.type]}</span>
            {/* the sign and the word say it; the colour only repeats it */}
            <span class={entry.direction === "credit" ? "sum good" : "sum"}>
              {entry.direction === "credit" ? "+" : "−"}
              {rupees(entry.amount)}
            </span>
            <small class="quiet">
              {texts.value.entries[entry.type]} · {whenOf(entry.created_at)}
            </small>
          </a>
        </li>
      ))}
    </ul>
  );
}
