import { useSignal } from "@preact/signals";
import type { Problem } from "../api/client";
import { signIn } from "../api/session";
import { Act, TextField, Told } from "../parts/fields";
import { sentenceFor } from "../parts/problems";
import { addressOf, go, place } from "../router";
import { texts } from "../texts";

/** Signs in, and leaves whoever came from another screen on that. */
export function SignIn() {
  const phone = useSignal("");
  const password = useSignal("");
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    said.value = null;
    try {
      const answer = await signIn({ phone: phone.value, password: password.value });
      if (answer.ok) {
        if (place.value.screen === "sign-in") go("", "", { replaces: true });
        return;
      }
      const problem: Problem = await answer.json();
      const after = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
      said.value = sentenceFor(problem, texts.value, Number.isNaN(after) ? null : after);
    } catch {
      said.value = texts.value.common.nobodyAnswers;
    } finally {
      busy.value = false;
    }
  };

  return (
    <>
      <form class="sheet" onSubmit={submit}>
        <p class="quiet">{texts.value.signIn.lead}</p>
        <TextField
          label={texts.value.common.phone}
          hint={texts.value.common.phoneHint}
          kind="tel"
          inputMode="tel"
          autocomplete="username"
          value={phone.value}
          onText={(text) => {
            phone.value = text;
          }}
          required
        />
        <TextField
          label={texts.value.common.password}
          kind="password"
          autocomplete="current-password"
          value={password.value}
          onText={(text) => {
            password.value = text;
          }}
          required
        />
        {said.value && <Told warning>{said.value}</Told>}
        <Act first submits busy={busy.value}>
          {texts.value.signIn.submit}
        </Act>
      </form>
      <p>
        <a href={addressOf("reset")}>{texts.value.signIn.forgotten}</a>
      </p>
      <p>
        {texts.value.signIn.noWallet} <a href={addressOf("register")}>{texts.value.screens.register}</a>
      </p>
    </>
  );
}
