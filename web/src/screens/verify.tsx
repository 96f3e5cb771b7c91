import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";
import { fetchReceipt } from "../api/receipt";
import { standing } from "../api/session";
import { rupees } from "../parts/amounts";
import { Facts } from "../parts/facts";
import { Act, Field, Note, TextField } from "../parts/fields";
import { sentenceFor } from "../parts/problems";
import { whenOf } from "../parts/times";
import { fingerprint, LARGEST, type Proven, readId, readKey, shownId, type Verdict, verify } from "../proof";
import { unpacked } from "../receipts";
import { place } from "../router";
import { texts } from "../texts";

interface Key {
  der: Uint8Array;
  sha256: string;
}

/** Whether a receipt is in the signed books: for everybody, and decided in this browser. */
export function Verify() {
  const about = place.value.about;
  const isOwn = about.startsWith("txn_");
  const receipt = useSignal<Uint8Array | null>(isOwn ? null : unpacked(about));
  const message = useSignal<string | null>(
    about && !isOwn && receipt.value === null ? texts.value.verify.unreadable : null,
  );
  const keys = useSignal<Key[] | null>(null);
  const verdict = useSignal<Verdict | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each receipt is another try
  useEffect(() => {
    if (keys.value === null) void fetchKeys(keys, message);
  }, [keys.value, keys, message, receipt.value]);
  const isKnown = standing.value !== "unknown";
  useEffect(() => {
    if (isOwn && isKnown) void fetchOwn(about, receipt, message);
  }, [isOwn, isKnown, about, receipt, message]);
  useEffect(() => {
    let isOver = false;
    verdict.value = null;
    if (receipt.value === null || keys.value === null) return;
    const ders = keys.value.map(({ der }) => der);
    verify(receipt.value, ders).then(
      (found) => {
        if (!isOver) verdict.value = found;
      },
      () => {
        message.value = texts.value.verify.notHere;
      },
    );
    return () => {
      isOver = true;
    };
  }, [receipt.value, keys.value, message, verdict]);

  const say = texts.value.verify;
  const found = verdict.value;
  return (
    <>
      <p class="quiet">{say.lead}</p>
      <Note>{say.picture}</Note>
      {!about && <Given receipt={receipt} message={message} />}
      {message.value && <Note warning>{message.value}</Note>}
      {found?.is === "refused" && <Note warning>{say[found.why]}</Note>}
      {found?.is === "proven" && <ProvenPayment proven={found} />}
      {about && <Given receipt={receipt} message={message} />}
      <Keys keys={keys} used={found?.is === "proven" ? found.key : null} />
    </>
  );
}

async function fetchKeys(keys: Signal<Key[] | null>, message: Signal<string | null>): Promise<void> {
  try {
    const answer = await fetch("/v1/proof-key");
    if (!answer.ok) throw new Error(`no key: ${answer.status}`);
    const given: Schemas["ProofKeys"] = await answer.json();
    const read = given.keys.map((one) => keyOf(Uint8Array.from(atob(one.public_key), (sign) => sign.charCodeAt(0))));
    const found = (await Promise.all(read)).filter((key) => key !== null);
    if (found.length === 0) throw new Error("no key that can be used");
    // somebody's own key, chosen meanwhile, stays
    if (keys.value === null) keys.value = found;
  } catch {
    // a page that came over no safe connection has no WebCrypto
    message.value = isSecureContext ? texts.value.verify.noKey : texts.value.verify.notHere;
  }
}

/** What is told of a key is worked out here, and not believed. */
async function keyOf(file: Uint8Array): Promise<Key | null> {
  const der = await readKey(file);
  return der && { der, sha256: await fingerprint(der) };
}

async function fetchOwn(id: string, receipt: Signal<Uint8Array | null>, message: Signal<string | null>): Promise<void> {
  const answer = await fetchReceipt(id).catch(() => null);
  if (answer?.data !== undefined) receipt.value = new TextEncoder().encode(answer.data.text);
  else message.value = answer?.error ? sentenceFor(answer.error, texts.value) : texts.value.common.nobodyAnswers;
}

const bytesOf = async (file: File | null): Promise<Uint8Array | null> =>
  file && new Uint8Array(await file.arrayBuffer());

/** A link that somebody got is as good as what it has behind its #. */
function bytesIn(text: string): Uint8Array {
  const linked = text.includes("/verify#") ? unpacked(text.split("#")[1] ?? "") : null;
  return linked ?? new TextEncoder().encode(text);
}

/** A file, or a text from the clipboard: what was given last. */
function Given({ receipt, message }: { receipt: Signal<Uint8Array | null>; message: Signal<string | null> }) {
  const typed = useSignal("");
  const file = useSignal<File | null>(null);
  const say = texts.value.verify;
  const check = async () => {
    const text = typed.value.trim();
    const isTooLarge = text === "" && (file.value?.size ?? 0) > LARGEST;
    message.value = isTooLarge ? say.unreadable : text === "" && file.value === null ? say.nothing : null;
    receipt.value = message.value !== null ? null : text === "" ? await bytesOf(file.value) : bytesIn(text);
  };
  return (
    <form
      class="sheet"
      onSubmit={(event) => {
        event.preventDefault();
        void check();
      }}
    >
      <Field label={say.file}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept=".json,.txt,application/json,text/plain"
            onChange={(event) => {
              file.value = event.currentTarget.files?.[0] ?? null;
              typed.value = "";
              if (file.value !== null) void check();
            }}
          />
        )}
      </Field>
      <Field label={say.text}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={4}
            autocomplete="off"
            spellcheck={false}
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <Act first submits>
        {say.submit}
      </Act>
    </form>
  );
}

function ProvenPayment({ proven }: { proven: Proven }) {
  const say = texts.value.verify;
  const kinds: Record<string, string | undefined> = texts.value.entries;
  const amount = (paise: number) => (proven.currency === "INR" ? rupees(paise) : `${paise} (${proven.currency})`);
  const { checkpoint } = proven;
  return (
    <section class="sheet" data-verdict="proven">
      <Note>{say.proven}</Note>
      {proven.form === 1 && <Note warning>{texts.value.receipt.hasBalance}</Note>}
      <Facts
        rows={[
          ...proven.sides.flatMap(({ walletId, direction, amount: paise }): [string, string][] => [
            [say[direction], shownId("wal", walletId)],
            [say.amount, amount(paise)],
          ]),
          [texts.value.history.type, kinds[proven.type] ?? proven.type],
          [texts.value.pay.when, whenOf(proven.createdAt)],
          [say.transaction, shownId("txn", proven.transactionId)],
          [say.checkpoint, say.checkpointOf(checkpoint.number, whenOf(checkpoint.sealedAt))],
        ]}
      />
      {proven.form === 2 && <OtherSide proven={proven} />}
      <h2>{say.unproven}</h2>
      <ul>
        <li>{say.names}</li>
        <li>{say.holder}</li>
        <li>{say.later}</li>
        <li>{say.otherSide}</li>
      </ul>
    </section>
  );
}

/** Whoever was to be paid knows their own wallet's number, and sees here whether it was they who were. */
function OtherSide({ proven }: { proven: Proven }) {
  const typed = useSignal("");
  const message = useSignal<{ text: string; bad: boolean } | null>(null);
  const say = texts.value.verify;
  return (
    <form
      noValidate
      onSubmit={async (event) => {
        event.preventDefault();
        const id = readId("wal", typed.value.trim().toLowerCase());
        if (id === null) message.value = { text: say.otherInvalid, bad: true };
        else {
          const is = await proven.isOtherSide(id);
          message.value = { text: is === null ? say.otherUnknown : is ? say.otherYes : say.otherNo, bad: is !== true };
        }
      }}
    >
      <TextField
        label={say.other}
        hint={say.otherHint}
        autocomplete="off"
        value={typed.value}
        onText={(text) => {
          typed.value = text;
          message.value = null;
        }}
      />
      {message.value && <Note warning={message.value.bad}>{message.value.text}</Note>}
      <Act submits>{say.otherSubmit}</Act>
    </form>
  );
}

/** The key, by a number that can be compared; or one that somebody has kept themselves. */
function Keys({ keys, used }: { keys: Signal<Key[] | null>; used: number | null }) {
  const fault = useSignal<string | null>(null);
  const say = texts.value.verify;
  const shown = keys.value?.filter((_, index) => used === null || index === used) ?? [];
  return (
    <details class="sheet">
      <summary>{say.key}</summary>
      <p>{say.keyLead}</p>
      <Facts rows={shown.map(({ sha256 }) => ["SHA-256", sha256])} />
      <Field label={say.keyFile} fault={fault.value}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept=".pem,.der"
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0];
              if (file === undefined) return;
              const key = file.size > LARGEST ? null : await keyOf(new Uint8Array(await file.arrayBuffer()));
              fault.value = key === null ? say.keyNone : null;
              if (key !== null) keys.value = [key];
            }}
          />
        )}
      </Field>
    </details>
  );
}
