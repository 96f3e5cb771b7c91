import { useSignal } from "@preact/signals";
import { readAmount, showAmount } from "../money";
import { locale, texts } from "../texts";
import { TextField } from "./fields";

export const rupees = (paise: number): string => showAmount(paise, locale.value);

/** An amount as it is typed; what it is read as stands beside it, and nothing under the finger changes. */
export function AmountField({
  typed,
  onText,
  asked,
}: {
  typed: string;
  onText: (text: string) => void;
  /** Whether somebody has tried to go on: before, an empty field is no fault. */
  asked: boolean;
}) {
  const left = useSignal(false);
  const read = readAmount(typed);
  const isFault = typeof read === "string" && (asked || (left.value && read !== "empty"));
  return (
    <div onFocusOut={() => (left.value = true)}>
      <TextField
        label={texts.value.common.amount}
        hint={typeof read === "number" ? rupees(read) : texts.value.common.amountHint}
        fault={isFault ? texts.value.amounts[read] : null}
        inputMode="decimal"
        autocomplete="off"
        value={typed}
        onText={onText}
        maxLength={24}
        large
      />
    </div>
  );
}
