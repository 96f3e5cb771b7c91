/** What stands around every screen: its name, the way to the others, and whether anybody is connected. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ABOUT } from "../addresses";
import { isUnanswered, owner, resume, standing } from "../api/session";
import { addressOf, place, type Screen } from "../router";
import { isOpen, screens } from "../screens";
import { HomeOutline } from "../screens/home";
import { SignIn } from "../screens/sign-in";
import { locale, texts } from "../texts";
import { Note } from "./fields";
import { Icon } from "./icons";
import { Loading, Lost } from "./loading";

const PLACES = ["", "add", "pay", "receive", "history"] as const;
/** Where somebody types what would be lost: these wait, unseen, until their owner has signed in again. */
const FORMS: ReadonlySet<Screen> = new Set<Screen>(["pay", "add", "withdraw", "requests", "entry"]);

export function Frame() {
  const { screen, about } = place.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef<string | null>(null);
  const needsSignIn = screen !== null && !isOpen(screen, about) && standing.value !== "signed_in";
  // nobody knows yet whether somebody is signed in: the room for the menu is there, so that nothing moves when they are
  const isInside = standing.value === "signed_in" || (standing.value === "unknown" && needsSignIn);
  const seen = needsSignIn && standing.value !== "unknown" ? "sign-in" : screen;
  const name = nameOf(seen);
  const title = `${name} · ${texts.value.app}`;

  useEffect(() => {
    document.title = title;
  }, [title]);
  useSignalEffect(() => {
    document.documentElement.lang = locale.value;
  });
  // whoever goes to another screen, or is led to the sign-in, is told where they are
  const whereabouts = standing.value === "unknown" ? null : `${seen} ${about}`;
  useEffect(() => {
    if (whereabouts === null) return;
    if (before.current !== null && before.current !== whereabouts) heading.current?.focus({ preventScroll: true });
    before.current = whereabouts;
  }, [whereabouts]);

  return (
    <div class={isInside ? "page inside" : "page"}>
      <button type="button" class="skip" onClick={() => heading.current?.focus()}>
        {texts.value.common.skip}
      </button>
      <header class="top">
        <a class="mark" href={addressOf("")}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          {texts.value.app}
        </a>
        <span class="corner">
          {(["help", "settings"] as const).map((one) => (
            <a key={one} href={addressOf(one)} {...current(one === screen)}>
              <Icon sign={one} />
              <span>{texts.value.screens[one]}</span>
            </a>
          ))}
        </span>
      </header>
      {standing.value === "signed_in" && <Places screen={screen} />}
      <main id="main" data-screen={screen ?? "none"}>
        <h1 ref={heading} tabIndex={-1}>
          {name}
        </h1>
        <Offline />
        <CurrentScreen screen={screen} about={about} />
      </main>
    </div>
  );
}

const nameOf = (screen: Screen | null): string =>
  screen === null ? texts.value.common.notFound : texts.value.screens[screen];

const current = (is: boolean) => (is ? { "aria-current": "page" as const } : {});

function Places({ screen }: { screen: Screen | null }) {
  return (
    <nav class="places" aria-label={texts.value.common.menu}>
      {PLACES.map((one) => (
        <a key={one} href={addressOf(one)} {...current(one === screen)}>
          <Icon sign={one} />
          <span>{texts.value.screens[one]}</span>
        </a>
      ))}
    </nav>
  );
}

function CurrentScreen({ screen, about }: { screen: Screen | null; about: string }) {
  const Known = screen === null ? undefined : screens[screen];
  const isNowhere = screen === null || Known === undefined || ABOUT[screen]?.test(about) === false;
  if (isNowhere)
    return (
      <>
        {screen !== null && <Note warning>{texts.value.common.notFound}</Note>}
        <a class="button first" href={addressOf("")}>
          {texts.value.common.toHome}
        </a>
      </>
    );
  // what belongs to one user ends with them: the next one begins with an empty screen
  const known = <Known key={`${screen} ${about} ${owner.value}`} />;
  if (isOpen(screen, about)) return <Known key={`${screen} ${about}`} />;
  if (standing.value === "unknown") {
    if (isUnanswered.value) return <Lost again={() => void resume()} />;
    return screen === "" ? <HomeOutline /> : <Loading />;
  }
  const isEnded = standing.value === "ended";
  return (
    <>
      {/* whoever is signed out signs in here, and goes on where they were */}
      {standing.value !== "signed_in" && <SignIn />}
      {(standing.value === "signed_in" || (isEnded && FORMS.has(screen))) && (
        <div {...(isEnded ? { hidden: true } : { class: "stage" })}>{known}</div>
      )}
    </>
  );
}

function Offline() {
  const isOffline = useSignal(!navigator.onLine);
  useEffect(() => {
    const look = () => {
      isOffline.value = !navigator.onLine;
      if (!isOffline.value && standing.value === "unknown") void resume();
    };
    addEventListener("online", look);
    addEventListener("offline", look);
    // nobody answered before this was there: what has changed since, it has not heard of
    if (isUnanswered.peek()) look();
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, [isOffline]);
  return isOffline.value ? <Note warning>{texts.value.common.offline}</Note> : null;
}
