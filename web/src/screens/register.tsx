import { useSignal } from "@preact/signals";
import { api, type Problem } from "../api/client";
import { signIn } from "../api/session";
import { Act, TextField, Told } from "../parts/fields";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { faultOf, sentenceFor } from "../parts/problems";
import { go } from "../router";
import { texts } from "../texts";

/** Opens a wallet: the phone is proved first, then a name and a password; whoever did it is signed in. */
export function Register() {
  const proved = useSignal<Proved | null>(null);
  return proved.value === null ? (
    <PhoneProof
      purpose="register"
      lead={texts.value.register.lead}
      proved={(what) => {
        proved.value = what;
      }}
    />
  ) : (
    <Who
      proved={proved.value}
      anew={() => {
        proved.value = null;
      }}
    />
  );
}

function Who({ proved, anew }: { proved: Proved; anew: () => void }) {
  const name = useSignal("");
  const password = useSignal("");
  const isShop = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const isLost = useSignal(false);
  // a registration whose answer was lost is sent again under its key
  const key = useSignal(crypto.randomUUID());

  const open = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    isLost.value = false;
    try {
      const made = await api.POST("/register", {
        params: { header: { "Idempotency-Key": key.value } },
        body: {
          phone_proof: proved.proof,
          phone: proved.phone,
          name: name.value,
          password: password.value,
          kind: isShop.value ? "merchant" : "personal",
        },
      });
      if (made.data === undefined) {
        problem.value = made.error;
        return;
      }
      await signIn({ phone: proved.phone, password: password.value });
      go("", "", { replaces: true });
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
        fault={faultOf(problem.value, "name")}
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
        fault={faultOf(problem.value, "password")}
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
      <Act first submits busy={busy.value}>
        {texts.value.register.submit}
      </Act>
      {problem.value?.code === "invalid_proof" && <Act onPress={anew}>{texts.value.register.again}</Act>}
    </form>
  );
}
