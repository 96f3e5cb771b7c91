// What every button that does something has in common: once at a time, and what came of it is said.

import { el } from "./dom.js";
import { ask, StoppedError } from "./server.js";
import { t } from "./texts.js";

/**
 * A button that acts: `request()` gives the path and the body, or null to do nothing; `then` gets the answer and gives
 * what to say besides.
 */
export function actionButton(app, name, { request, then = () => "", ...attributes }) {
  const click = async () => {
    const asked = request();
    if (asked === null || app.isBusy) return;
    app.isBusy = true;
    // not `disabled`: that would take the focus away
    button.setAttribute("aria-disabled", "true");
    try {
      const { status, body } = await ask(...asked);
      const done = status === 200;
      const said = done ? [t("done", { action: t(name) }), await then(body)] : [t("trouble", { why: body.error })];
      app.say(said.filter(Boolean).join("\n"));
      await app.refresh();
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
      app.stop();
    } finally {
      app.isBusy = false;
      button.removeAttribute("aria-disabled");
    }
  };
  const button = el("button", { type: "button", ...attributes, click }, t(name));
  return button;
}
