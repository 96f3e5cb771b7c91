import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { api, type Schemas } from "../api/client";
import { standing } from "../api/session";
import { COMES, Facts } from "../parts/facts";
import { Act, Note, TextField } from "../parts/fields";
import { Languages } from "../parts/languages";
import { useLoaded } from "../parts/load";
import { Loading, Trouble } from "../parts/loading";
import { PasswordField } from "../parts/password";
import { PhoneProof, type Proved } from "../parts/phone-proof";
import { SignOut } from "../parts/sign-out";
import { useWork } from "../parts/work";
import { showPhone } from "../payees";
import { addressOf, type Screen } from "../router";
import { texts } from "../texts";

const MORE: Screen[] = ["withdraw", "requests", "holds", "limits", "security", "help"];

/** Who one is, the language, and the way to all that is not on the bar. */
export function Settings() {
  return (
    <>
      {standing.value === "signed_in" && (
        <>
          <Account />
          <ul class="rows sheet">
            {MORE.map((one) => (
              <li key={one}>
                <a class="row way" href={addressOf(one)}>
                  {texts.value.screens[one]}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
      <section class="sheet">
        <Languages />
      </section>
      {standing.value === "signed_in" && <SignOut />}
    </>
  );
}

/** As large from the start as it becomes: what stands below it is not to move under a finger. */
function Account() {
  const [me, again] = useLoaded(() => api.GET("/me"));
  const account = me.value.is === "there" ? me.value.value : null;
  const isShop = account?.kind === "merchant";
  const say = texts.value.settings;
  return (
    <section class="sheet">
      <h2>{say.account}</h2>
      <Facts
        rows={[
          [say.name, account?.name ?? COMES],
          [texts.value.common.phone, account === null ? COMES : account.phone && showPhone(account.phone)],
          [say.mail, account === null ? COMES : (account.email ?? say.noMail)],
          [say.kind, account === null ? COMES : isShop ? texts.value.pay.shop : texts.value.pay.person],
        ]}
      />
      <Trouble loaded={me.value} again={again} />
      <Folded title={say.changeName}>{account && <Name key={account.name} account={account} done={again} />}</Folded>
      <Folded title={say.changeMail}>
        {account && <Mail key={account.email ?? ""} account={account} done={again} />}
      </Folded>
      <Folded title={say.changePhone}>{account && <Phone key={account.phone ?? ""} done={again} />}</Folded>
      <p class="ways">
        <a href={addressOf("security")}>{texts.value.security.password}</a>
        {isShop && <a href={addressOf("shop")}>{texts.value.screens.shop}</a>}
      </p>
    </section>
  );
}

function Folded({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details>
      <summary>{title}</summary>
      {children || <Loading />}
    </details>
  );
}

function Name({ account, done }: { account: Schemas["Account"]; done: () => void }) {
  const name = useSignal(account.name);
  const work = useWork(`${texts.value.settings.name}: ${name.value.trim()}`);
  return (
    <>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (name.value.trim() !== account.name)
            void work.run(() => api.PATCH("/me", { body: { name: name.value.trim() } }), done);
        }}
      >
        <TextField
          label={texts.value.common.name}
          hint={texts.value.settings.nameHint}
          fault={work.faultOf("name")}
          autocomplete="name"
          maxLength={100}
          value={name.value}
          onText={(text) => {
            name.value = text;
          }}
        />
        {work.message}
        <Act submits busy={work.busy}>
          {texts.value.settings.save}
        </Act>
      </form>
      {work.asking}
    </>
  );
}

function Mail({ account, done }: { account: Schemas["Account"]; done: () => void }) {
  const mail = useSignal(account.email ?? "");
  const work = useWork();
  return (
    <>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void work.run(() => api.PATCH("/me", { body: { email: mail.value.trim() || null } }), done);
        }}
      >
        <TextField
          label={texts.value.settings.email}
          hint={texts.value.settings.mailHint}
          fault={work.faultOf("email")}
          kind="email"
          inputMode="email"
          autocomplete="email"
          value={mail.value}
          onText={(text) => {
            mail.value = text;
          }}
        />
        {work.message}
        <Act submits busy={work.busy}>
          {texts.value.settings.save}
        </Act>
      </form>
      {work.asking}
    </>
  );
}

/** The new phone is proved, the password shown, and the phone of before (or a passkey) confirms it. */
function Phone({ done }: { done: () => void }) {
  const proved = useSignal<Proved | null>(null);
  const password = useSignal("");
  const work = useWork(`${texts.value.settings.newPhone}: ${showPhone(proved.value?.phone ?? "")}`);
  const isWrong = work.problem?.code === "invalid_credentials";
  return (
    <>
      {proved.value === null ? (
        <PhoneProof
          purpose="change_phone"
          lead={texts.value.settings.phoneLead}
          proved={(what) => {
            proved.value = what;
          }}
        />
      ) : (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            const body = { phone_proof: proved.value?.proof ?? "", password: password.value };
            void work.run(() => api.POST("/me/phone", { body }), done);
          }}
        >
          <Note>{texts.value.settings.phoneProved(showPhone(proved.value.phone))}</Note>
          <p class="quiet">{texts.value.settings.phoneWaits}</p>
          <PasswordField
            label={texts.value.common.password}
            fault={isWrong ? texts.value.faults.old_password : null}
            autocomplete="current-password"
            value={password.value}
            onText={(text) => {
              password.value = text;
            }}
          />
          {!isWrong && work.message}
          <Act submits busy={work.busy}>
            {texts.value.settings.changePhone}
          </Act>
          {work.problem?.code === "invalid_proof" && (
            <Act
              onPress={() => {
                proved.value = null;
              }}
            >
              {texts.value.register.again}
            </Act>
          )}
        </form>
      )}
      {work.asking}
    </>
  );
}
