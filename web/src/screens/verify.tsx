import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../api/client";
import { standing } from "../api/session";
import { rupees } from "../parts/amounts";
import { Facts } from "../parts/facts";
import { Act, Field, TextField, Told } from "../parts/fields";
import { sentenceFor } from "../parts/problems";
import { whenOf } from "../parts/times";
import { fingerprint, LARGEST, type Proven, readId, readKey, shownId, type Verdict, verify } from "../proof";
import { fetchReceipt, unpacked } from "../receipts";
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
  const said = useSignal<string | null>(
    about && !isOwn && receipt.value === null ? texts.value.verify.unreadable : null,
  );
  const keys = useSignal<Key[] | null>(null);
  const verdict = useSignal<Verdict | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each receipt is another try
  useEffect(() => {
    if (keys.value === null) void fetchKeys(keys, said);
  }, [keys.value, keys, said, receipt.value]);
  const isKnown = standing.value !== "unknown";
  useEffect(() => {
    if (isOwn && isKnown) void fetchOwn(about, receipt, said);
  }, [isOwn, isKnown, about, receipt, said]);
  useEffect(() => {
    let isOver = false;
    verdict.value = null;
    if (receipt.value === null || keys.value === null) return;
    const ders = keys.value.map(({ der }) => der);
    verify(receipt.value, ders).then(
      (told) => {
        if (!isOver) verdict.value = told;
      },
      () => {
        said.value = texts.value.verify.notHere;
      },
    );
    return () => {
      isOver = true;
    };
  }, [receipt.value, keys.value, said, verdict]);

  const say = texts.value.verify;
  const told = verdict.value;
  return (
    <>
      <p class="quiet">{say.lead}</p>
      <Told>{say.picture}</Told>
      {!about && <Given receipt={receipt} said={said} />}
      {said.value && <Told warning>{said.value}</Told>}
      {told?.is === "refused" && <Told warning>{say[told.why]}</Told>}
      {told?.is === "proven" && <Shown proven={told} />}
      {about && <Given receipt={receipt} said={said} />}
      <Keys keys={keys} used={told?.is === "proven" ? told.key : null} />
    </>
  );
}

async function fetchKeys(keys: Signal<Key[] | null>, said: Signal<string | null>): Promise<void> {
  try {
    const answer = await fetch("/v1/proof-key");
    if (!answer.ok) throw new Error(`no key: ${answer.status}`);
    const told: Schemas["ProofKeys"] = await answer.json();
    const read = told.keys.map((one) => keyOf(Uint8Array.from(atob(one.public_key), (sign) => sign.charCodeAt(0))));
    const found = (await Promise.all(read)).filter((key) => key !== null);
    if (found.length === 0) throw new Error("no key that can be used");
    // somebody's own key, chosen meanwhile, stays
    if (keys.value === null) keys.value = found;
  } catch {
    // a page that came over no safe connection has no WebCrypto
    said.value = isSecureContext ? texts.value.verify.noKey : texts.value.verify.notHere;
  }
}

/** What is told of a key is worked out here, and not believed. */
async function keyOf(file: Uint8Array): Promise<Key | null> {
  const der = await readKey(file);
  return der && { der, sha256: await fingerprint(der) };
}

async function fetchOwn(id: string, receipt: Signal<Uint8Array | null>, said: Signal<string | null>): Promise<void> {
  const told = await fetchReceipt(id).catch(() => null);
  if (told?.data !== undefined) receipt.value = new TextEncoder().encode(told.data.text);
  else said.value = told?.error ? sentenceFor(told.error, texts.value) : texts.value.common.nobodyAnswers;
}

/** A file, or a text from the clipboard. */
function Given({ receipt, said }: { receipt: Signal<Uint8Array | null>; said: Signal<string | null> }) {
  const typed = useSignal("");
  const say = texts.value.verify;
  return (
    <form
      class="sheet"
      onSubmit={(event) => {
        event.preventDefault();
        const text = typed.value.trim();
        said.value = text === "" ? say.nothing : null;
        if (text === "") {
          receipt.value = null;
          return;
        }
        // a link that somebody got is as good as what it has behind its #
        const linked = text.includes("/verify#") ? unpacked(text.split("#")[1] ?? "") : null;
        receipt.value = linked ?? new TextEncoder().encode(text);
      }}
    >
      <Field label={say.file}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept=".json,.txt,application/json,text/plain"
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0];
              if (file === undefined) return;
              said.value = file.size > LARGEST ? say.unreadable : null;
              receipt.value = said.value === null ? new Uint8Array(await file.arrayBuffer()) : null;
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

function Shown({ proven }: { proven: Proven }) {
  const say = texts.value.verify;
  const kinds: Record<string, string | undefined> = texts.value.entries;
  const amount = (paise: number) => (proven.currency === "INR" ? rupees(paise) : `${paise} (${proven.currency})`);
  const { checkpoint } = proven;
  return (
    <section class="sheet" data-verdict="proven">
      <Told>{say.proven}</Told>
      {proven.form === 1 && <Told warning>{texts.value.receipt.hasBalance}</Told>}
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
  const said = useSignal<{ text: string; bad: boolean } | null>(null);
  const say = texts.value.verify;
  return (
    <form
      noValidate
      onSubmit={async (event) => {
        event.preventDefault();
        const id = readId("wal", typed.value.trim().toLowerCase());
        if (id === null) said.value = { text: say.otherInvalid, bad: true };
        else {
          const is = await proven.isOtherSide(id);
          said.value = { text: is === null ? say.otherUnknown : is ? say.otherYes : say.otherNo, bad: is !== true };
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
          said.value = null;
        }}
      />
      {said.value && <Told warning={said.value.bad}>{said.value.text}</Told>}
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
