// The phone: its frame, which view is open, and what the simulator has to show, asked for while somebody looks.

import { bankView } from "./bank.js";
import { el } from "./dom.js";
import { codeIn, messagesView } from "./messages.js";
import { orderView } from "./order.js";
import { ask, StoppedError, withQuery } from "./server.js";
import { LANGUAGES, loadTexts, rupees, spaced, speak, spoken, t } from "./texts.js";
import { upiView } from "./upi.js";

const PAUSE_MS = 1_500;
const VIEWS = { messages: messagesView, upi: upiView, bank: bankView };

const app = {
  actions: null,
  phone: new URLSearchParams(location.search).get("phone"),
  inboxCount: 50,
  isBusy: false,
  say(sentence) {
    frame.said.replaceChildren(sentence);
  },
  stop() {
    hear(true);
  },
  refresh: () => look(),
};
let frame;
let view;
let place;
let looks = 0;
let hasStopped = false;
/** What somebody has been told of: the newest message, and the payments that wait. Null before the first answer. */
let known = null;
let unread = 0;

function placeOf(hash) {
  const [name, ...rest] = hash.slice(1).split("/");
  const found = name in VIEWS ? name : "messages";
  try {
    return { name: found, id: found === "upi" ? decodeURIComponent(rest.join("/")) : "" };
  } catch {
    return { name: found, id: rest.join("/") };
  }
}

function build() {
  const select = el("select", { id: "whose", change: () => choosePhone(select.value || null) });
  const tongue = el("select", {
    id: "language",
    change: () => {
      speak(tongue.value);
      build();
      open();
      frame.tongue.focus();
    },
  });
  for (const [name, own] of Object.entries(LANGUAGES)) tongue.append(el("option", { value: name, lang: name }, own));
  tongue.value = spoken();
  const link = (name) => {
    const count = el("span", { class: "count", "aria-hidden": "true", hidden: true });
    return { count, node: el("a", { href: `#${name}` }, t(name), count) };
  };
  frame = {
    select,
    tongue,
    alarm: el("p", { role: "alert", class: "notice" }),
    said: el("p", { role: "status", class: "said" }),
    heard: el("p", { "aria-live": "polite", class: "heard" }),
    host: el("div"),
    links: { messages: link("messages"), upi: link("upi"), bank: link("bank") },
  };
  document.body.replaceChildren(
    el("a", { class: "skip", href: "#main", click: skip }, t("skip")),
    el("header", { class: "pretend" }, el("h1", null, t("pretend"))),
    el(
      "div",
      { class: "desk" },
      el(
        "div",
        { class: "phone" },
        el(
          "nav",
          { class: "apps", "aria-label": t("views") },
          Object.values(frame.links).map(({ node }) => node),
        ),
        el(
          "main",
          { id: "main", tabindex: "-1" },
          el("div", { class: "field" }, el("label", { for: "whose" }, t("whose")), select),
          el("div", { class: "news" }, frame.alarm, frame.said, frame.heard),
          frame.host,
        ),
      ),
      el(
        "aside",
        { class: "about", "aria-label": t("about_title") },
        el("h2", null, t("about_title")),
        ["about", "about_messages", "about_upi", "about_bank"].map((name) => el("p", null, t(name))),
        el("div", { class: "field" }, el("label", { for: "language" }, t("language")), tongue),
      ),
    ),
  );
  offerPhones([]);
  if (hasStopped) frame.alarm.textContent = t("stopped");
}

/** The hash is the view's: the skip link goes without one. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** Opens the view that the address names. */
function open() {
  place = placeOf(location.hash);
  view = place.id === "" ? VIEWS[place.name](app) : orderView(app, place.id);
  frame.host.replaceChildren(view.node);
  frame.said.textContent = "";
  frame.heard.textContent = "";
  if (place.name === "messages") unread = 0;
  for (const [name, { node }] of Object.entries(frame.links)) {
    if (name === place.name) node.setAttribute("aria-current", "page");
    else node.removeAttribute("aria-current");
  }
  document.title = `${view.title} · ${t("phone")}`;
  look();
}

function choosePhone(phone) {
  app.phone = phone;
  known = null;
  unread = 0;
  const address = new URL(location.href);
  if (phone === null) address.searchParams.delete("phone");
  else address.searchParams.set("phone", phone);
  history.replaceState(null, "", address);
  look();
}

function offerPhones(phones) {
  const offered = app.phone === null || phones.includes(app.phone) ? phones : [app.phone, ...phones];
  const before = [...frame.select.options].map((option) => option.value);
  if (before.join() === ["", ...offered].join()) return;
  const options = offered.map((phone) => el("option", { value: phone }, spaced(phone)));
  frame.select.replaceChildren(el("option", { value: "" }, t("every_phone")), ...options);
  frame.select.value = app.phone ?? "";
}

/** Asks for everything that is shown, once, and shows it, unless something newer was asked for meanwhile. */
async function look() {
  looks += 1;
  const [mine, shown] = [looks, view];
  const asked = {
    inbox: withQuery("inbox", { phone: app.phone, count: app.inboxCount }),
    open: withQuery("orders", { phone: app.phone }),
    ...shown.asks(),
  };
  try {
    const names = Object.keys(asked);
    const answers = await Promise.all(Object.values(asked).map((path) => ask(path)));
    // somebody else at this address may answer, too
    if (answers[0].status !== 200) throw new StoppedError(asked.inbox);
    if (mine !== looks) return;
    const told = Object.fromEntries(names.map((name, number) => [name, answers[number].body]));
    hear(false);
    offerPhones(told.inbox.phones);
    tellNews(told);
    shown.draw(told);
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    if (mine === looks) hear(true);
  }
}

/** Whether the stack answers, said when it changes. */
function hear(stopped) {
  if (stopped === hasStopped) return;
  hasStopped = stopped;
  frame.alarm.textContent = stopped ? t("stopped") : "";
  if (!stopped) app.say(t("back_again"));
}

/** Tells who can't see the page of what has come by itself, and counts it. */
function tellNews({ inbox, open: waiting }) {
  const ids = new Set(waiting.data.map((order) => order.id));
  const latest = inbox.data[0]?.id ?? 0;
  if (known !== null) {
    const messages = inbox.data.filter((message) => message.id > known.latest);
    const orders = waiting.data.filter((order) => !known.ids.has(order.id));
    if (place.name !== "messages") unread += messages.length;
    const sentences = [
      ...messages.slice(0, 3).map(({ phone, text }) => {
        const code = codeIn(text);
        return t("messages_new", {
          phone: spaced(phone),
          what: code === null ? text.trim() : t("messages_code", { code }),
        });
      }),
      ...orders.slice(0, 3).map(({ amount, payee }) => t("upi_new", { amount: rupees(amount), payee: payee.name })),
    ];
    if (sentences.length) frame.heard.replaceChildren(sentences.join("\n"));
  }
  known = { latest, ids };
  count("messages", unread, false);
  count("upi", waiting.data.length, waiting.more);
}

function count(name, number, more) {
  const badge = frame.links[name].count;
  badge.hidden = number === 0;
  badge.textContent = more ? `${number}+` : String(number);
}

async function lookOn() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (document.visibilityState === "visible" && !app.isBusy) await look();
  }
}

const [actions] = await Promise.all([fetch("actions.json"), loadTexts()]);
app.actions = await actions.json();
build();
open();
addEventListener("hashchange", () => {
  open();
  document.querySelector("h2[tabindex]")?.focus();
});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
lookOn();
