import { choose, type Language, language, texts } from "../texts";

const NAMES: Record<Language, string> = { en: "English", hi: "हिन्दी" };

export function Languages() {
  return (
    <fieldset class="choice">
      <legend>{texts.value.settings.language}</legend>
      {(Object.keys(NAMES) as Language[]).map((one) => (
        <label key={one} lang={one}>
          <input type="radio" name="language" checked={language.value === one} onChange={() => choose(one)} />
          <span>{NAMES[one]}</span>
        </label>
      ))}
    </fieldset>
  );
}
