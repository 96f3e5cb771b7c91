import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { deviceOf } from "../parts/devices";
import { Act, Note, Stage, TextField } from "../parts/fields";
import { useLatch } from "../parts/latch";
import { type Loaded, useLoaded } from "../parts/load";
import { Loading, Trouble, WhenLoaded } from "../parts/loading";
import { createPasskey, knowsPasskeys } from "../parts/passkeys";
import { PasswordField } from "../parts/password";
import { PhoneProof } from "../parts/phone-proof";
import { SignOut } from "../parts/sign-out";
import { whenOf } from "../parts/times";
import { useWork } from "../parts/work";
import { addressOf } from "../router";
import { texts } from "../texts";

/**
 * What keeps the wallet its owner's: freezing it, sessions, passkeys and the password. What stands here from the start
 * comes first, and the lists below it together: nothing that can be pressed moves by itself.
 */
export function Security() {
  return (
    <>
      <SignOut />
      <Freeze />
      <Password />
      <Lists />
    </>
  );
}

interface Listed<T> {
  loaded: Loaded<T>;
  again: () => void;
}

function Lists() {
  const [passkeys, askPasskeys] = useLoaded(() => api.GET("/passkeys"));
  const [sessions, askSessions] = useLoaded(() => api.GET("/sessions"));
  const areThere = useLatch(() => passkeys.value.is !== "loading" && sessions.value.is !== "loading");
  if (!areThere) return <Loading />;
  return (
    <>
      <Passkeys loaded={passkeys.value} again={askPasskeys} />
      <Sessions loaded={sessions.value} again={askSessions} />
    </>
  );
}

function Freeze() {
  const [wallet, again] = useLoaded(() => api.GET("/wallet"));
  const known = wallet.value.is === "there" ? wallet.value.value : null;
  /** Frozen here and now, and it is so whether or not anybody answers the look at the wallet that follows. */
  const isFrozen = useSignal(false);
  return (
    <section class="sheet">
      <h2>{texts.value.security.freeze}</h2>
      {/* whoever is in a hurry waits for no answer: what is frozen already stays so */}
      {known?.status === "frozen" ? (
        <Frozen endsAt={known.unfreezes_at} again={again} />
      ) : isFrozen.value ? (
        <Note warning>{texts.value.security.frozen}</Note>
      ) : (
        <Active
          isActive={known === null || known.status === "active"}
          done={() => {
            isFrozen.value = true;
            again();
          }}
        />
      )}
      <Trouble loaded={wallet.value} again={again} />
    </section>
  );
}

/** Asked twice, because undoing it takes a day. */
function Active({ isActive, done }: { isActive: boolean; done: () => void }) {
  const work = useWork();
  const isSure = useSignal(false);
  return (
    <>
      <p class="quiet">{texts.value.security.freezeLead}</p>
      {work.message}
      {isSure.value && <Note warning>{texts.value.security.freezeSure}</Note>}
      {isActive && (
        <Act
          busy={work.busy}
          onPress={() => {
            if (isSure.value) void work.run(() => api.POST("/me/freeze", { body: {} }), done);
            else isSure.value = true;
          }}
        >
          {isSure.value ? texts.value.security.freezeNow : texts.value.security.freeze}
        </Act>
      )}
      {isSure.value && (
        <Act
          plain
          onPress={() => {
            isSure.value = false;
          }}
        >
          {texts.value.common.cancel}
        </Act>
      )}
    </>
  );
}

/** How it ends, when it does, and how that is called off: whoever is signed in may keep it frozen, and no thief can more. */
function Frozen({ endsAt, again }: { endsAt: string | null; again: () => void }) {
  const work = useWork();
  const isAsking = useSignal(false);
  const isOurs = work.problem?.code === "not_found";
  const unfreeze = (proof: string) =>
    work.run(async () => {
      const answer = await api.POST("/me/unfreeze", { body: { phone_proof: proof } });
      // frozen by us, or not frozen any more
      if (answer.error?.code === "not_found") again();
      return answer;
    }, again);
  const keep = () =>
    work.run(
      () => api.POST("/me/freeze", { body: {} }),
      () => {
        isAsking.value = false;
        again();
      },
    );
  return (
    <Stage step={endsAt !== null ? "ends" : isAsking.value ? "asking" : "frozen"}>
      <Note warning>{texts.value.security.frozen}</Note>
      {isOurs ? <Note warning>{texts.value.security.frozenByUs}</Note> : work.message}
      {endsAt !== null ? (
        <>
          <Note>{texts.value.security.unfreezes(whenOf(endsAt))}</Note>
          <p class="quiet">{texts.value.security.keepLead}</p>
          <Act busy={work.busy} onPress={() => void keep()}>
            {texts.value.security.keep}
          </Act>
        </>
      ) : isAsking.value ? (
        <OwnPhone proved={(proof) => void unfreeze(proof)} />
      ) : (
        <Act
          onPress={() => {
            isAsking.value = true;
          }}
        >
          {texts.value.security.unfreeze}
        </Act>
      )}
    </Stage>
  );
}

/** A code to the wallet's own phone, which need not be typed: a code of any other one is of no use. */
function OwnPhone({ proved }: { proved: (proof: string) => void }) {
  const [me, again] = useLoaded(() => api.GET("/me"));
  return (
    <WhenLoaded loaded={me.value} again={again}>
      {({ phone }) => (
        <PhoneProof
          purpose="unfreeze"
          lead={texts.value.security.unfreezeLead}
          known={phone ?? ""}
          proved={({ proof }) => proved(proof)}
        />
      )}
    </WhenLoaded>
  );
}

function Sessions({ loaded, again }: Listed<Schemas["Sessions"]>) {
  const work = useWork();
  // a row stays where it is when its session ends: the next one would come under the finger
  const ended = useSignal<ReadonlySet<string>>(new Set());
  const areEnded = useSignal(false);
  const end = (id: string) =>
    work.run(
      () => api.DELETE("/sessions/{id}", { params: { path: { id } } }),
      () => {
        ended.value = new Set(ended.value).add(id);
      },
    );
  const endAll = () =>
    work.run(
      () => api.DELETE("/sessions"),
      () => {
        areEnded.value = true;
      },
    );
  return (
    <section class="sheet">
      <h2>{texts.value.security.sessions}</h2>
      <WhenLoaded loaded={loaded} again={again}>
        {({ data }) => (
          <>
            <ul class="rows">
              {data.map((one) => (
                <li key={one.id} class="row still">
                  <span>
                    {deviceOf(one.device)}
                    <br />
                    <small class="quiet">
                      {one.current
                        ? texts.value.security.thisOne
                        : texts.value.security.lastUsed(whenOf(one.last_used_at))}
                    </small>
                  </span>
                  {one.current ? null : areEnded.value || ended.value.has(one.id) ? (
                    <span role="status">{texts.value.security.ended}</span>
                  ) : (
                    <Act busy={work.busy} onPress={() => void end(one.id)}>
                      {texts.value.security.end}
                      <span class="unseen"> {deviceOf(one.device)}</span>
                    </Act>
                  )}
                </li>
              ))}
            </ul>
            {data.length > 1 && (
              <Act busy={work.busy} onPress={() => void endAll()}>
                {texts.value.security.endAll}
              </Act>
            )}
          </>
        )}
      </WhenLoaded>
      {work.message}
    </section>
  );
}

function Passkeys({ loaded, again }: Listed<Schemas["Passkeys"]>) {
  const name = useSignal("");
  const isRefused = useSignal(false);
  const isNameless = useSignal(false);
  const adding = useWork(texts.value.security.addPasskey);
  const removing = useWork(texts.value.security.removePasskey);

  const add = (event: Event) => {
    event.preventDefault();
    isRefused.value = false;
    isNameless.value = name.value.trim() === "";
    if (isNameless.value) return;
    // what is confirmed is this very passkey: behind the confirmation no other one is made
    let credential: Awaited<ReturnType<typeof createPasskey>> = null;
    const work = async () => {
      if (credential === null) {
        const options = await api.POST("/passkeys/options", { body: {} });
        if (options.data === undefined) return options;
        credential = await createPasskey(options.data);
      }
      if (credential === null) {
        isRefused.value = true;
        return {};
      }
      return api.POST("/passkeys", { body: { name: name.value.trim(), credential } });
    };
    void adding.run(work, () => {
      if (!isRefused.value) name.value = "";
      again();
    });
  };
  return (
    <section class="sheet">
      <h2>{texts.value.security.passkeys}</h2>
      <p class="quiet">{texts.value.security.passkeysLead}</p>
      <WhenLoaded loaded={loaded} again={again}>
        {({ data }) =>
          data.length === 0 ? null : (
            <ul class="rows">
              {data.map((one) => (
                <li key={one.id} class="row still">
                  <span>
                    {one.name}
                    {Date.parse(one.usable_from) > Date.now() && (
                      <>
                        <br />
                        <small class="quiet">{texts.value.security.usableFrom(whenOf(one.usable_from))}</small>
                      </>
                    )}
                  </span>
                  <Act
                    busy={removing.busy}
                    onPress={() =>
                      void removing.run(() => api.DELETE("/passkeys/{id}", { params: { path: { id: one.id } } }), again)
                    }
                  >
                    {texts.value.security.remove}
                    <span class="unseen"> {one.name}</span>
                  </Act>
                </li>
              ))}
            </ul>
          )
        }
      </WhenLoaded>
      {removing.message}
      {removing.asking}
      {knowsPasskeys ? (
        <form onSubmit={add} noValidate>
          <TextField
            label={texts.value.security.passkeyName}
            hint={texts.value.security.passkeyHint}
            value={name.value}
            autocomplete="off"
            maxLength={60}
            fault={isNameless.value ? texts.value.faults.passkeyName : adding.faultOf("name")}
            onText={(text) => {
              name.value = text;
              isNameless.value = false;
            }}
          />
          {adding.message}
          {isRefused.value && <Note warning>{texts.value.security.passkeyRefused}</Note>}
          <Act submits busy={adding.busy}>
            {texts.value.security.addPasskey}
          </Act>
        </form>
      ) : (
        <p>{texts.value.security.noPasskeys}</p>
      )}
      {adding.asking}
    </section>
  );
}

function Password() {
  const work = useWork();
  const old = useSignal("");
  const wanted = useSignal("");
  const isDone = useSignal(false);
  const isWrong = work.problem?.code === "invalid_credentials";
  return (
    <details class="sheet">
      <summary>{texts.value.security.password}</summary>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          isDone.value = false;
          const body = { old_password: old.value, new_password: wanted.value };
          void work.run(
            () => api.POST("/me/password", { body }),
            () => {
              isDone.value = true;
              old.value = "";
              wanted.value = "";
            },
          );
        }}
      >
        <PasswordField
          label={texts.value.security.oldPassword}
          fault={isWrong ? texts.value.faults.old_password : work.faultOf("old_password")}
          autocomplete="current-password"
          value={old.value}
          onText={(text) => {
            old.value = text;
          }}
        />
        <PasswordField
          label={texts.value.security.newPassword}
          hint={texts.value.register.passwordHint}
          fault={work.faultOf("new_password")}
          autocomplete="new-password"
          value={wanted.value}
          onText={(text) => {
            wanted.value = text;
          }}
        />
        {!isWrong && work.message}
        {isDone.value && <Note>{texts.value.security.changed}</Note>}
        <Act submits busy={work.busy}>
          {texts.value.security.change}
        </Act>
        <a href={addressOf("reset")}>{texts.value.signIn.forgotten}</a>
      </form>
    </details>
  );
}
