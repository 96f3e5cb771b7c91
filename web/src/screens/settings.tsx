import { addressOf, type Screen } from "../router";
import { type Language, language, speak, texts } from "../texts";

const NAMES: Record<Language, string> = { en: "English", hi: "हिन्दी" };
const MORE: Screen[] = ["withdraw", "requests", "holds", "shop", "limits", "security", "help"];

/** The language, and the way to all that is not on the bar. */
export function Settings() {
  return (
    <>
      <fieldset class="sheet">
        <legend>{texts.value.settings.language}</legend>
        {(Object.keys(NAMES) as Language[]).map((one) => (
          <label key={one} class="check" lang={one}>
            <input type="radio" name="language" checked={language.value === one} onChange={() => speak(one)} />
            {NAMES[one]}
          </label>
        ))}
      </fieldset>
      <ul class="rows sheet">
        {MORE.map((one) => (
          <li key={one}>
            <a class="row" href={addressOf(one)}>
              {texts.value.screens[one]}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
