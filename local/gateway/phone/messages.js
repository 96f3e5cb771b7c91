// The inbox: what the wallet has sent to phones, the newest first.

import { copyButton } from "./copy.js";
import { draw, drawOne, el, newId } from "./dom.js";
import { moment, spaced, t } from "./texts.js";

const MORE = 50;
const MOST = 500;

/** The code of a message that brings one: the wallet's begin with it. */
export function codeIn(text) {
  return /^\d{4,8}\b/.exec(text)?.[0] ?? null;
}

export function messagesView(app) {
  const list = el("ul", { class: "list" });
  const none = el("div");
  const more = el("div");
  return {
    title: t("messages"),
    node: el("section", null, el("h2", { tabindex: "-1" }, t("messages")), none, list, more),
    asks: () => ({}),
    draw({ inbox }) {
      draw(
        list,
        inbox.data,
        (message) => message.id,
        (message) => messageItem(app, message),
      );
      const isEmpty = inbox.data.length === 0;
      const sentence = app.phone === null ? "messages_none" : "messages_none_here";
      drawOne(none, isEmpty ? sentence : null, (name) => el("p", { class: "quiet" }, t(name)));
      drawOne(more, inbox.more && app.inboxCount < MOST ? true : null, () => {
        const showMore = () => {
          app.inboxCount = Math.min(MOST, app.inboxCount + MORE);
          app.refresh();
        };
        return el("button", { type: "button", click: showMore }, t("more"));
      });
    },
  };
}

function messageItem(app, message) {
  const [code, id] = [codeIn(message.text), newId()];
  const shown = code === null ? null : el("p", { class: "code" }, code);
  return el(
    "li",
    { class: "card" },
    el(
      "div",
      { class: "line quiet" },
      el("span", null, t("to", { phone: spaced(message.phone) })),
      el("time", { datetime: message.at }, moment(message.at)),
    ),
    shown && el("div", { class: "line" }, shown, copyButton(app, "copy_code", shown, { "aria-describedby": id })),
    el("p", { class: "text", id, lang: "en" }, message.text.trim()),
  );
}
