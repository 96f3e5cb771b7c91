import type { Schemas } from "../api/client";
import { addressOf } from "../router";
import { texts } from "../texts";
import { rupees } from "./amounts";
import { COMES, Facts } from "./facts";
import { Note } from "./fields";
import type { Preview } from "./preview";
import { brokenLimit, sentenceFor } from "./problems";
import { whenOf } from "./times";

/**
 * What a movement would come to: a look ahead that promises nothing. Its place stands, so that it is read out; and as soon
 * as it is asked for it is as large as what comes, so that the button below it stays under the finger.
 */
export function Comes({ preview }: { preview: Preview }) {
  const { fee, total, after } = texts.value.pay;
  return (
    <div class="comes" aria-live="polite" aria-busy={preview === "coming"}>
      {preview === "coming" ? (
        <Facts rows={[fee, total, after].map((name) => [name, COMES] as const)} />
      ) : preview !== null && "refused" in preview ? (
        <Note warning>{sentenceFor(preview.refused, texts.value)}</Note>
      ) : (
        preview !== null && <Ahead preview={preview} />
      )}
    </div>
  );
}

function Ahead({ preview }: { preview: Schemas["Preview"] }) {
  const { fee, total, available_after: after, limits, confirmation_paused_until: paused, waits_until: waits } = preview;
  const broken = limits.filter((one) => one.left < total).map((one) => brokenLimit(one, texts.value));
  return (
    <>
      <Facts
        rows={[
          [texts.value.pay.fee, rupees(fee)],
          [texts.value.pay.total, rupees(total)],
          [texts.value.pay.after, after < 0 ? null : rupees(after)],
        ]}
      />
      {after < 0 && (
        <Note warning>
          {texts.value.pay.tooLittle(rupees(-after))} <a href={addressOf("add")}>{texts.value.screens.add}</a>
        </Note>
      )}
      {broken.map(
        (message) =>
          message && (
            <Note key={message} warning>
              {message}
            </Note>
          ),
      )}
      {paused && <Note warning>{texts.value.pay.waitsUntil(whenOf(paused))}</Note>}
      {waits && <p class="quiet">{texts.value.withdraw.waits(whenOf(waits))}</p>}
      {preview.confirmation && !paused && <p class="quiet">{texts.value.pay.willConfirm}</p>}
    </>
  );
}
