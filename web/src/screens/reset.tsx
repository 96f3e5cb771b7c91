import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { signIn } from "../api/session";
import { Act, Note } from "../parts/fields";
import { assertPasskey, knowsPasskeys } from "../parts/passkeys";
import { PasswordField } from "../parts/password";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { useWork } from "../parts/work";
import { go } from "../router";
import { texts } from "../texts";

const goHome = () => go("", "", { replaces: true });

/** A new password for who has the phone, and a passkey besides if the wallet has any. */
export function Reset() {
  const proved = useSignal<Proved | null>(null);
  const password = useSignal("");
  const passkey = useSignal<string | null>(null);
  const isRefused = useSignal(false);
  const work = useWork();

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
  const showPasskey = () => {
    isRefused.value = false;
    void work.run(async () => {
      const options = await api.POST("/passkey-proofs/options", { body: { purpose: "reset_password" } });
      if (options.data === undefined) return options;
      const signed = await assertPasskey(options.data);
      if (signed === null) {
        isRefused.value = true;
        return {};
      }
      const shown = await api.POST("/passkey-proofs", { body: { purpose: "reset_password", passkey: signed } });
      if (shown.data !== undefined) passkey.value = shown.data.proof;
      return shown;
    });
  };
  const submit = (event: Event) => {
    event.preventDefault();
    isRefused.value = false;
    const body = {
      phone_proof: proof,
      new_password: password.value,
      ...(passkey.value === null ? {} : { passkey: passkey.value }),
    };
    void work.run(async () => {
      const answer = await api.POST("/password-resets", { body });
      // the password is changed by now: whom no answer lets in signs in with it on the screen behind
      if (answer.error === undefined) await signIn({ phone, password: password.value }).catch(() => undefined);
      return answer;
    }, goHome);
  };
  return (
    <form class="sheet" onSubmit={submit} noValidate>
      <input type="text" name="username" autocomplete="username" value={phone} hidden readOnly />
      <PasswordField
        label={texts.value.security.newPassword}
        hint={texts.value.register.passwordHint}
        fault={work.faultOf("new_password")}
        autocomplete="new-password"
        value={password.value}
        onText={(text) => {
          password.value = text;
        }}
      />
      {work.message}
      {isRefused.value && <Note warning>{texts.value.pay.passkeyFailed}</Note>}
      {work.problem?.code === "invalid_proof" && (
        <Act
          onPress={() => {
            proved.value = null;
            work.forget();
          }}
        >
          {texts.value.register.anew}
        </Act>
      )}
      <Act first submits busy={work.busy}>
        {texts.value.security.change}
      </Act>
      {knowsPasskeys && (
        <>
          <p class="quiet">{texts.value.reset.passkeyLead}</p>
          <Act busy={work.busy} onPress={showPasskey}>
            {passkey.value === null ? texts.value.pay.byPasskey : texts.value.reset.passkeyShown}
          </Act>
        </>
      )}
    </form>
  );
}
