import { useSignal } from "@preact/signals";
import { api, type Problem } from "../api/client";
import { signIn } from "../api/session";
import { Act, Stage, TextField, Told } from "../parts/fields";
import { Languages } from "../parts/languages";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { faultOf, sentenceFor } from "../parts/problems";
import { addressOf, goOn } from "../router";
import { texts } from "../texts";

/** Opens a wallet: the phone is proved first, then a name and a password; whoever did it is signed in. */
export function Register() {
  const proved = useSignal<Proved | null>(null);
  return (
    <Stage step={proved.value === null ? "phone" : "who"}>
      {proved.value === null ? (
        <>
          <PhoneProof
            purpose="register"
            lead={texts.value.register.lead}
            proved={(what) => {
              proved.value = what;
            }}
          />
          <p>
            {texts.value.register.known} <a href={addressOf("sign-in")}>{texts.value.screens["sign-in"]}</a>
          </p>
          <Languages />
        </>
      ) : (
        <Who
          proved={proved.value}
          anew={() => {
            proved.value = null;
          }}
        />
      )}
    </Stage>
  );
}

function Who({ proved, anew }: { proved: Proved; anew: () => void }) {
  const name = useSignal("");
  const password = useSignal("");
  const isShop = useSignal(false);
  const replaces = useSignal(false);
  const asked = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const isLost = useSignal(false);
  // a registration whose answer was lost is sent again under its key
  const key = useSignal(crypto.randomUUID());

  const faults = {
    name: name.value.trim() === "" ? texts.value.faults.name : null,
    password: [...password.value].length < 8 ? texts.value.faults.password : null,
  };
  const open = async (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (busy.value || faults.name || faults.password) return;
    busy.value = true;
    problem.value = null;
    isLost.value = false;
    try {
      const made = await api.POST("/register", {
        params: { header: { "Idempotency-Key": key.value } },
        body: {
          phone_proof: proved.proof,
          phone: proved.phone,
          name: name.value.trim(),
          password: password.value,
          kind: isShop.value ? "merchant" : "personal",
          ...(replaces.value ? { replace: true } : {}),
        },
      });
      if (made.data === undefined) {
        problem.value = made.error;
        return;
      }
      await signIn({ phone: proved.phone, password: password.value });
      goOn();
    } catch {
      isLost.value = true;
    } finally {
      busy.value = false;
    }
  };
  const said = isLost.value
    ? texts.value.common.nobodyAnswers
    : problem.value && !problem.value.errors?.length && sentenceFor(problem.value, texts.value);
  return (
    <form class="sheet" onSubmit={open} noValidate>
      <TextField
        label={texts.value.common.name}
        hint={texts.value.register.nameHint}
        fault={(asked.value && faults.name) || faultOf(problem.value, "name", texts.value)}
        autocomplete="name"
        value={name.value}
        onText={(text) => {
          name.value = text;
        }}
      />
      {/* so that a password manager keeps the phone with the password */}
      <input type="text" name="username" autocomplete="username" value={proved.phone} hidden readOnly />
      <TextField
        label={texts.value.common.password}
        hint={texts.value.register.passwordHint}
        fault={(asked.value && faults.password) || faultOf(problem.value, "password", texts.value)}
        kind="password"
        autocomplete="new-password"
        value={password.value}
        onText={(text) => {
          password.value = text;
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={isShop.value}
          onChange={(event) => {
            isShop.value = event.currentTarget.checked;
          }}
        />
        {texts.value.register.shop}
      </label>
      {said && <Told warning>{said}</Told>}
      {(replaces.value || problem.value?.code === "phone_taken") && (
        <>
          <p>
            <a href={addressOf("sign-in")}>{texts.value.screens["sign-in"]}</a>
            {" · "}
            <a href={addressOf("reset")}>{texts.value.signIn.forgotten}</a>
          </p>
          <label class="check">
            <input
              type="checkbox"
              checked={replaces.value}
              onChange={(event) => {
                replaces.value = event.currentTarget.checked;
                // another request is no repetition of the one before
                key.value = crypto.randomUUID();
              }}
            />
            {texts.value.register.replace}
          </label>
        </>
      )}
      <Act first submits busy={busy.value}>
        {texts.value.register.submit}
      </Act>
      {problem.value?.code === "invalid_proof" && <Act onPress={anew}>{texts.value.register.anew}</Act>}
    </form>
  );
}
