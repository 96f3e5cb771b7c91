import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { fetchReceipt, type OwnReceipt } from "../api/receipt";
import { packed } from "../receipts";
import { addressOf } from "../router";
import { texts } from "../texts";
import { Copy, Share } from "./copy";
import { Act, Note } from "./fields";
import { useWork } from "./work";

/** Checks an entry's receipt, and hands it on: it is made when it is asked for, and goes nowhere by itself. */
export function Receipt({ transactionId }: { transactionId: string }) {
  const receipt = useSignal<OwnReceipt | null>(null);
  const work = useWork();
  const say = texts.value.receipt;

  const get = async () => {
    const answer = await fetchReceipt(transactionId);
    receipt.value = answer.data ?? null;
    return answer;
  };

  return (
    <section class="sheet">
      <h2>{say.title}</h2>
      <p class="quiet">{say.lead}</p>
      <a class="button" href={addressOf("verify", transactionId)}>
        {texts.value.entry.verify}
      </a>
      {work.message}
      {receipt.value === null ? (
        <Act busy={work.busy} onPress={() => void work.run(get)}>
          {say.share}
        </Act>
      ) : (
        <Handed name={`receipt-${transactionId}`} {...receipt.value} />
      )}
    </section>
  );
}

/** The ways in which it can leave. A share sheet wants a finger's press of its own, so it comes behind the answer. */
function Handed({ name, text, hasBalance }: { name: string; text: string; hasBalance: boolean }) {
  const file = useSignal<string | null>(null);
  useEffect(() => {
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    file.value = address;
    return () => URL.revokeObjectURL(address);
  }, [text, file]);
  const say = texts.value.receipt;
  const short = hasBalance ? null : packed(text);
  const link = short && `${location.origin}${addressOf("verify", short)}`;
  return (
    <>
      <Note warning={hasBalance}>{hasBalance ? say.hasBalance : say.ready}</Note>
      {!hasBalance && <ShareFile name={name} text={text} />}
      {link !== null && <Share title={say.title} url={link} />}
      {link !== null && <Copy text={link} says={say.copyLink} />}
      {file.value !== null && (
        <a class="button" href={file.value} download={`${name}.json`}>
          {say.save}
        </a>
      )}
    </>
  );
}

/** As a file, where the device shares such files: most take a text and no JSON. */
function ShareFile({ name, text }: { name: string; text: string }) {
  const files = [new File([text], `${name}.txt`, { type: "text/plain" })];
  if (!("canShare" in navigator) || !navigator.canShare({ files })) return null;
  return (
    <Act first onPress={() => void navigator.share({ files }).catch(() => undefined)}>
      {texts.value.receipt.shareFile}
    </Act>
  );
}
