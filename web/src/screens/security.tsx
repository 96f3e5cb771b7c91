import { useSignal } from "@preact/signals";
import { api, type Problem, type Schemas } from "../api/client";
import { forgetEverywhere, signOut } from "../api/session";
import { whenOf } from "../parts/entries";
import { Act, TextField, Told } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { createPasskey } from "../parts/passkeys";
import { PhoneProof } from "../parts/phone-proof";
import { sentenceFor } from "../parts/problems";
import { addressOf, go } from "../router";
import { texts } from "../texts";

/** What keeps the wallet its owner's: freezing it, sessions, passkeys and the password. */
export function Security() {
  return (
    <>
      <Freeze />
      <Sessions />
      <Passkeys />
      <Password />
      <Act
        onPress={() =>
          void signOut().then(() => {
            go("sign-in");
          })
        }
      >
        {texts.value.security.signOut}
      </Act>
    </>
  );
}

/** Does one thing at a time, and says what was wrong. */
function useWork() {
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const run = async (work: () => Promise<{ error?: Problem | undefined }>): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    said.value = null;
    const told = await work().catch(() => null);
    busy.value = false;
    if (told === null) said.value = texts.value.common.nobodyAnswers;
    else if (told.error !== undefined) said.value = sentenceFor(told.error, texts.value);
    return told !== null && told.error === undefined;
  };
  return { busy, said, run };
}

function Freeze() {
  const [wallet, again] = useLoaded(() => api.GET("/wallet"));
  const { busy, said, run } = useWork();
  const isUnfreezing = useSignal(false);
  const unfreezesAt = useSignal<string | null>(null);
  return (
    <Shown loaded={wallet.value} again={again}>
      {({ status }) => (
        <section class="sheet">
          <h2>{texts.value.security.freeze}</h2>
          {status === "active" && (
            <>
              <p class="quiet">{texts.value.security.freezeLead}</p>
              <Act
                busy={busy.value}
                onPress={() => void run(() => api.POST("/me/freeze", { body: {} })).then((is) => is && again())}
              >
                {texts.value.security.freeze}
              </Act>
            </>
          )}
          {status === "frozen" && <Told warning>{texts.value.security.frozen}</Told>}
          {status === "frozen" && unfreezesAt.value !== null && (
            <Told>{texts.value.security.unfreezes(whenOf(unfreezesAt.value))}</Told>
          )}
          {status === "frozen" && !isUnfreezing.value && (
            <Act
              onPress={() => {
                isUnfreezing.value = true;
              }}
            >
              {texts.value.security.unfreeze}
            </Act>
          )}
          {isUnfreezing.value && unfreezesAt.value === null && (
            <PhoneProof
              purpose="unfreeze"
              lead={texts.value.register.lead}
              proved={({ proof }) =>
                void run(async () => {
                  const told = await api.POST("/me/unfreeze", { body: { phone_proof: proof } });
                  unfreezesAt.value = told.data?.unfreezes_at ?? null;
                  return told;
                })
              }
            />
          )}
          {said.value && <Told warning>{said.value}</Told>}
        </section>
      )}
    </Shown>
  );
}

function Sessions() {
  const [sessions, again] = useLoaded(() => api.GET("/sessions"));
  const { busy, said, run } = useWork();
  return (
    <section class="sheet">
      <h2>{texts.value.security.sessions}</h2>
      <Shown loaded={sessions.value} again={again}>
        {({ data }) => (
          <ul class="rows">
            {data.map((one: Schemas["Session"]) => (
              <li key={one.id} class="row">
                <span>
                  {one.device}
                  {one.current && ` (${texts.value.security.thisOne})`}
                  <br />
                  <small class="quiet">{texts.value.security.lastUsed(whenOf(one.last_used_at))}</small>
                </span>
                {!one.current && (
                  <Act
                    busy={busy.value}
                    onPress={() =>
                      void run(() => api.DELETE("/sessions/{id}", { params: { path: { id: one.id } } })).then(again)
                    }
                  >
                    {texts.value.security.end}
                  </Act>
                )}
              </li>
            ))}
          </ul>
        )}
      </Shown>
      {said.value && <Told warning>{said.value}</Told>}
      <Act
        busy={busy.value}
        onPress={() =>
          void run(() => api.DELETE("/sessions")).then((is) => {
            if (is) forgetEverywhere();
          })
        }
      >
        {texts.value.security.endAll}
      </Act>
    </section>
  );
}

function Passkeys() {
  const [passkeys, again] = useLoaded(() => api.GET("/passkeys"));
  const { busy, said, run } = useWork();
  const name = useSignal("");
  const add = () =>
    run(async () => {
      const options = await api.POST("/passkeys/options", { body: {} });
      if (options.data === undefined) return options;
      const credential = await createPasskey(options.data);
      if (credential === null) return {};
      return api.POST("/passkeys", { body: { name: name.value.trim(), credential } });
    });
  return (
    <section class="sheet">
      <h2>{texts.value.security.passkeys}</h2>
      <p class="quiet">{texts.value.security.passkeysLead}</p>
      <Shown loaded={passkeys.value} again={again}>
        {({ data }) => (
          <ul class="rows">
            {data.map((one: Schemas["Passkey"]) => (
              <li key={one.id} class="row">
                <span>
                  {one.name}
                  {Date.parse(one.usable_from) > Date.now() && (
                    <small class="quiet"> {texts.value.security.usableFrom(whenOf(one.usable_from))}</small>
                  )}
                </span>
                <Act
                  busy={busy.value}
                  onPress={() =>
                    void run(() => api.DELETE("/passkeys/{id}", { params: { path: { id: one.id } } })).then(again)
                  }
                >
                  {texts.value.security.remove}
                </Act>
              </li>
            ))}
          </ul>
        )}
      </Shown>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add().then(again);
        }}
      >
        <TextField
          label={texts.value.security.passkeyName}
          value={name.value}
          autocomplete="off"
          maxLength={60}
          required
          onText={(text) => {
            name.value = text;
          }}
        />
        {said.value && <Told warning>{said.value}</Told>}
        <Act submits busy={busy.value}>
          {texts.value.security.addPasskey}
        </Act>
      </form>
    </section>
  );
}

function Password() {
  const { busy, said, run } = useWork();
  const old = useSignal("");
  const wanted = useSignal("");
  const isDone = useSignal(false);
  return (
    <form
      class="sheet"
      onSubmit={(event) => {
        event.preventDefault();
        const body = { old_password: old.value, new_password: wanted.value };
        void run(() => api.POST("/me/password", { body })).then((is) => {
          isDone.value = is;
          if (is) old.value = wanted.value = "";
        });
      }}
    >
      <h2>{texts.value.security.password}</h2>
      <TextField
        label={texts.value.security.oldPassword}
        kind="password"
        autocomplete="current-password"
        value={old.value}
        required
        onText={(text) => {
          old.value = text;
        }}
      />
      <TextField
        label={texts.value.security.newPassword}
        hint={texts.value.register.passwordHint}
        kind="password"
        autocomplete="new-password"
        value={wanted.value}
        required
        onText={(text) => {
          wanted.value = text;
        }}
      />
      {said.value && <Told warning>{said.value}</Told>}
      {isDone.value && <Told>{texts.value.security.changed}</Told>}
      <Act submits busy={busy.value}>
        {texts.value.security.change}
      </Act>
      <a href={addressOf("reset")}>{texts.value.signIn.forgotten}</a>
    </form>
  );
}
