// Copying, with a way out where the browser allows none.

import { el } from "./dom.js";
import { t } from "./texts.js";

/** A button that copies the text of `shown`, and says so. */
export function copyButton(app, name, shown, attributes) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      app.say(t("copied", { what: shown.textContent }));
    } catch {
      getSelection().selectAllChildren(shown);
      app.say(t("not_copied"));
    }
  };
  return el("button", { type: "button", click: copy, ...attributes }, t(name));
}
