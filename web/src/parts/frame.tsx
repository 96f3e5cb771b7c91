/** What stands around every screen: its name, the way to the others, and whether anybody is connected. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { standing } from "../api/session";
import { addressOf, followLinks, place, type Screen } from "../router";
import { OPEN, screens } from "../screens";
import { SignIn } from "../screens/sign-in";
import { language, locale, texts } from "../texts";
import { Told } from "./fields";

const PLACES: Screen[] = ["", "add", "pay", "receive", "history"];

export function Frame() {
  const { screen } = place.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  const name = screen === null ? texts.value.common.notFound : texts.value.screens[screen];

  useEffect(() => {
    document.documentElement.lang = locale.value;
    document.title = `${name} · ${texts.value.app}`;
  }, [name, language.value]);
  useEffect(() => {
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [screen]);

  return (
    <div class="page" onClick={followLinks}>
      <a class="skip" href="#main">
        {texts.value.common.skip}
      </a>
      <header class="top">
        <strong>{texts.value.app}</strong>
        <a href={addressOf("settings")}>{texts.value.screens.settings}</a>
      </header>
      {standing.value === "signed_in" && <Places screen={screen} />}
      <main id="main" data-screen={screen ?? "none"}>
        <h1 ref={heading} tabIndex={-1}>
          {name}
        </h1>
        <Offline />
        <Shown screen={screen} />
      </main>
    </div>
  );
}

function Places({ screen }: { screen: Screen | null }) {
  return (
    <nav class="places" aria-label={texts.value.common.menu}>
      {PLACES.map((one) => (
        <a key={one} href={addressOf(one)} {...(one === screen ? { "aria-current": "page" as const } : {})}>
          {texts.value.screens[one]}
        </a>
      ))}
    </nav>
  );
}

function Shown({ screen }: { screen: Screen | null }) {
  const Known = screen === null ? undefined : screens[screen];
  if (screen === null || Known === undefined) return <a href={addressOf("")}>{texts.value.common.toHome}</a>;
  if (OPEN.has(screen) || standing.value === "signed_in") return <Known key={`${screen} ${place.value.about}`} />;
  // whoever is signed out signs in here, and goes on where they were
  return standing.value === "signed_out" ? <SignIn /> : <p class="quiet">{texts.value.common.loading}</p>;
}

function Offline() {
  const isOffline = useSignal(!navigator.onLine);
  useEffect(() => {
    const look = () => {
      isOffline.value = !navigator.onLine;
    };
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, [isOffline]);
  return isOffline.value ? <Told warning>{texts.value.common.offline}</Told> : null;
}
