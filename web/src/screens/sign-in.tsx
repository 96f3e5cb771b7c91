import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Problem } from "../api/client";
import { signIn, standing } from "../api/session";
import { Act, Note, Stage, TextField } from "../parts/fields";
import { Languages } from "../parts/languages";
import { PasswordField } from "../parts/password";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { howLong, sentenceFor } from "../parts/problems";
import { readPhone } from "../payees";
import { addressOf, go, place, want } from "../router";
import { texts } from "../texts";

/**
 * Signs in, and leaves whoever came from another screen on that. After too many tries of anybody's the password is taken
 * from who shows that the phone is theirs, so that nobody can lock somebody else out.
 */
export function SignIn() {
  const phone = useSignal("");
  const password = useSignal("");
  const asked = useSignal(false);
  const busy = useSignal(false);
  const message = useSignal<string | null>(null);
  const isLocked = useSignal(false);
  const isProving = useSignal(false);
  const proved = useSignal<Proved | null>(null);

  useEffect(() => want(place.peek().screen === "sign-in" ? { screen: "", about: "" } : place.peek()), []);
  // who is signed in already has no business here
  useSignalEffect(() => {
    if (standing.value === "signed_in" && place.peek().screen === "sign-in") go("", "", { replaces: true });
  });

  const full = (): string => readPhone(phone.value) ?? phone.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (busy.value || phone.value.trim() === "" || password.value === "") return;
    busy.value = true;
    message.value = null;
    // a proof is for the phone that was proved, and no other
    const proof = proved.value?.phone === full() ? proved.value.proof : null;
    try {
      const answer = await signIn({
        phone: full(),
        password: password.value,
        ...(proof === null ? {} : { phone_proof: proof }),
      });
      if (answer.ok) {
        asked.value = false;
        password.value = "";
        return;
      }
      refuse(await answer.json(), Number.parseInt(answer.headers.get("Retry-After") ?? "", 10));
    } catch {
      message.value = navigator.onLine ? texts.value.common.nobodyAnswers : texts.value.common.offlineUnsent;
    } finally {
      busy.value = false;
    }
  };
  const refuse = (problem: Problem, after: number) => {
    if (problem.code === "invalid_proof") proved.value = null;
    isLocked.value = problem.code === "too_many_attempts" || problem.code === "invalid_proof";
    const retryAfterS = Number.isNaN(after) ? null : after;
    message.value =
      problem.code === "too_many_attempts" && retryAfterS !== null
        ? texts.value.signIn.tooMany(howLong(retryAfterS, texts.value))
        : sentenceFor(problem, texts.value, retryAfterS);
  };

  return <Stage step={isProving.value ? "code" : "password"}>{isProving.value ? proving() : asking()}</Stage>;

  function proving() {
    return (
      <>
        <PhoneProof
          purpose="sign_in"
          lead={texts.value.signIn.codeLead}
          known={phone.value}
          proved={(what) => {
            proved.value = what;
            phone.value = what.phone;
            isProving.value = false;
            isLocked.value = false;
            message.value = null;
          }}
        />
        <Act
          plain
          onPress={() => {
            isProving.value = false;
          }}
        >
          {texts.value.common.back}
        </Act>
      </>
    );
  }

  function asking() {
    return (
      <>
        <form class="sheet" onSubmit={submit} noValidate>
          {standing.value === "ended" ? (
            <Note>{texts.value.signIn.ended}</Note>
          ) : (
            <>
              {place.value.about.startsWith("prq_") && <Note>{texts.value.signIn.asked}</Note>}
              <p class="quiet">{texts.value.signIn.lead}</p>
            </>
          )}
          {proved.value !== null && <Note>{texts.value.signIn.proved}</Note>}
          <TextField
            label={texts.value.common.phone}
            hint={texts.value.common.phoneHint}
            kind="tel"
            inputMode="tel"
            autocomplete="username"
            fault={asked.value && phone.value.trim() === "" ? texts.value.faults.phone : null}
            value={phone.value}
            onText={(text) => {
              phone.value = text;
            }}
          />
          <PasswordField
            label={texts.value.common.password}
            autocomplete="current-password"
            fault={asked.value && password.value === "" ? texts.value.faults.noPassword : null}
            value={password.value}
            onText={(text) => {
              password.value = text;
            }}
          />
          {message.value && <Note warning>{message.value}</Note>}
          {isLocked.value && (
            <Act
              first
              onPress={() => {
                isProving.value = true;
              }}
            >
              {texts.value.signIn.byCode}
            </Act>
          )}
          <Act first={!isLocked.value} submits busy={busy.value}>
            {texts.value.signIn.submit}
          </Act>
          <p>
            <a href={addressOf("reset")}>{texts.value.signIn.forgotten}</a>
          </p>
        </form>
        <p>
          {texts.value.signIn.noWallet} <a href={addressOf("register")}>{texts.value.screens.register}</a>
        </p>
        <Languages />
      </>
    );
  }
}
