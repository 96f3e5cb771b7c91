// What the page says, in English and Hindi, and how it writes amounts, times and phones.

export const LANGUAGES = { en: "English", hi: "हिन्दी" };
const KEPT_AS = "phone.language";
const texts = {};
let language = "en";

export async function loadTexts() {
  const answers = Object.keys(LANGUAGES).map(async (name) => [name, await (await fetch(`${name}.json`)).json()]);
  Object.assign(texts, Object.fromEntries(await Promise.all(answers)));
  speak(kept() ?? (navigator.language.startsWith("hi") ? "hi" : "en"));
}

export function speak(name) {
  language = name in LANGUAGES ? name : "en";
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEPT_AS, language);
  } catch {
    // without storage it is asked of the browser again next time
  }
}

export function spoken() {
  return language;
}

/** The sentence of this name, with `{…}` replaced. */
export function t(name, values = {}) {
  return texts[language][name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}

/** The sentence of this name, or the simulator's own word where it has one that is not known here. */
export function word(name, own) {
  return texts[language][name] ?? own;
}

/** An amount of paise, exactly: the format takes a decimal text. */
export function rupees(paise) {
  const digits = String(paise).padStart(3, "0");
  const format = new Intl.NumberFormat(`${language}-IN`, { style: "currency", currency: "INR" });
  return format.format(`${digits.slice(0, -2)}.${digits.slice(-2)}`);
}

/** The time of day, and the day unless it is today. `at` is what Date takes. */
export function moment(at) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const format = new Intl.DateTimeFormat(`${language}-IN`, {
    ...(isToday ? {} : { dateStyle: "medium" }),
    timeStyle: "medium",
  });
  return format.format(date);
}

/** An Indian mobile number in two halves, as people read it; any other as it is. */
export function spaced(phone) {
  return phone.replace(/^(\+91)(\d{5})(\d{5})$/, "$1 $2 $3");
}

function kept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}
