import { useSignal } from "@preact/signals";
import { api, type Problem } from "../api/client";
import { signIn } from "../api/session";
import { Act, TextField, Told } from "../parts/fields";
import { assertPasskey, knowsPasskeys } from "../parts/passkeys";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { faultOf, sentenceFor } from "../parts/problems";
import { go } from "../router";
import { texts } from "../texts";

/** A new password for who has the phone, and a passkey besides if the wallet has any. */
export function Reset() {
  const proved = useSignal<Proved | null>(null);
  const password = useSignal("");
  const passkey = useSignal<string | null>(null);
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const problem = useSignal<Problem | null>(null);

  if (proved.value === null)
    return (
      <PhoneProof
        purpose="reset_password"
        lead={texts.value.reset.lead}
        proved={(what) => {
          proved.value = what;
        }}
      />
    );
  const { phone, proof } = proved.value;
  const once = (work: () => Promise<void>) => async (event?: Event) => {
    event?.preventDefault();
    if (busy.value) return;
    busy.value = true;
    said.value = null;
    problem.value = null;
    await work().catch(() => {
      said.value = texts.value.common.nobodyAnswers;
    });
    busy.value = false;
  };
  const showPasskey = once(async () => {
    const options = await api.POST("/passkey-proofs/options", { body: { purpose: "reset_password" } });
    if (options.data === undefined) {
      said.value = sentenceFor(options.error, texts.value);
      return;
    }
    const signed = await assertPasskey(options.data);
    if (signed === null) {
      said.value = texts.value.pay.passkeyFailed;
      return;
    }
    const told = await api.POST("/passkey-proofs", { body: { purpose: "reset_password", passkey: signed } });
    if (told.data === undefined) said.value = sentenceFor(told.error, texts.value);
    else passkey.value = told.data.proof;
  });
  const submit = once(async () => {
    const told = await api.POST("/password-resets", {
      body: {
        phone_proof: proof,
        new_password: password.value,
        ...(passkey.value === null ? {} : { passkey: passkey.value }),
      },
    });
    if (told.error !== undefined) {
      problem.value = told.error;
      if (!told.error.errors?.length) said.value = sentenceFor(told.error, texts.value);
      return;
    }
    await signIn({ phone, password: password.value });
    go("", "", { replaces: true });
  });
  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <input type="text" name="username" autocomplete="username" value={phone} hidden readOnly />
      <TextField
        label={texts.value.security.newPassword}
        hint={texts.value.register.passwordHint}
        fault={faultOf(problem.value, "new_password", texts.value)}
        kind="password"
        autocomplete="new-password"
        value={password.value}
        onText={(text) => {
          password.value = text;
        }}
      />
      {said.value && <Told warning>{said.value}</Told>}
      {problem.value?.code === "invalid_proof" && (
        <Act
          onPress={() => {
            proved.value = null;
            said.value = null;
          }}
        >
          {texts.value.register.anew}
        </Act>
      )}
      <Act first submits busy={busy.value}>
        {texts.value.security.change}
      </Act>
      {knowsPasskeys && (
        <>
          <p class="quiet">{texts.value.reset.passkeyLead}</p>
          <Act busy={busy.value} onPress={showPasskey}>
            {passkey.value === null ? texts.value.pay.byPasskey : texts.value.reset.passkeyShown}
          </Act>
        </>
      )}
    </form>
  );
}
