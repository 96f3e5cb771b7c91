import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { signIn } from "../api/session";
import { Act, Stage, TextField } from "../parts/fields";
import { Languages } from "../parts/languages";
import { PasswordField } from "../parts/password";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { useWork } from "../parts/work";
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
  const work = useWork();
  // a registration whose answer was lost is sent again under its key
  const key = useSignal(crypto.randomUUID());

  const faults = {
    name: name.value.trim() === "" ? texts.value.register.noName : null,
    password: [...password.value].length < 8 ? texts.value.faults.password : null,
  };
  const open = (event: Event) => {
    event.preventDefault();
    asked.value = true;
    if (faults.name || faults.password) return;
    const params = { header: { "Idempotency-Key": key.value } };
    const body = {
      phone_proof: proved.proof,
      phone: proved.phone,
      name: name.value.trim(),
      password: password.value,
      kind: isShop.value ? ("merchant" as const) : ("personal" as const),
      ...(replaces.value ? { replace: true } : {}),
    };
    void work.run(async () => {
      const made = await api.POST("/register", { params, body });
      if (made.error === undefined) await signIn({ phone: proved.phone, password: password.value });
      return made;
    }, goOn);
  };
  return (
    <form class="sheet" onSubmit={open} noValidate>
      <TextField
        label={texts.value.common.name}
        hint={texts.value.register.nameHint}
        fault={(asked.value && faults.name) || work.faultOf("name")}
        autocomplete="name"
        maxLength={100}
        value={name.value}
        onText={(text) => {
          name.value = text;
        }}
      />
      {/* so that a password manager keeps the phone with the password */}
      <input type="text" name="username" autocomplete="username" value={proved.phone} hidden readOnly />
      <PasswordField
        label={texts.value.common.password}
        hint={texts.value.register.passwordHint}
        fault={(asked.value && faults.password) || work.faultOf("password")}
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
      {isShop.value && <p class="quiet">{texts.value.register.shopMore}</p>}
      {work.message}
      {(replaces.value || work.problem?.code === "phone_taken") && (
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
      <Act first submits busy={work.busy}>
        {texts.value.register.submit}
      </Act>
      {work.problem?.code === "invalid_proof" && <Act onPress={anew}>{texts.value.register.anew}</Act>}
    </form>
  );
}
