// The UPI app: payments that wait for approval, and those that are paid or over.

import { draw, drawOne, el, newId } from "./dom.js";
import { canScan, scan } from "./scan.js";
import { ask, StoppedError, withQuery } from "./server.js";
import { moment, rupees, spaced, t } from "./texts.js";

const ENDED = 20;

export function upiView(app) {
  const waiting = el("ul", { class: "list" });
  const ended = el("ul", { class: "list" });
  const none = el("div");
  const noneEnded = el("div");
  return {
    title: t("upi"),
    node: el(
      "div",
      { class: "stack" },
      el("section", null, el("h2", { tabindex: "-1" }, t("upi_waiting")), none, waiting),
      findForm(app),
      el("section", null, el("h2", null, t("upi_ended")), noneEnded, ended),
    ),
    asks: () => ({ ended: withQuery("orders", { state: "ended", count: ENDED, phone: app.phone }) }),
    draw({ open, ended: over }) {
      draw(waiting, open.data, (order) => order.id, orderItem);
      draw(ended, over.data, (order) => order.id, orderItem);
      const sentence = app.phone === null ? "upi_none" : "upi_none_here";
      drawOne(none, open.data.length ? null : sentence, (name) => el("p", { class: "quiet" }, t(name)));
      drawOne(noneEnded, over.data.length ? null : true, () => el("p", { class: "quiet" }, t("upi_ended_none")));
    },
  };
}

/** The address of an order's view. */
export function orderHash(id) {
  return `#upi/${encodeURIComponent(id)}`;
}

function orderItem(order) {
  const paid = order.payments.find((payment) => payment.captured);
  return el(
    "li",
    null,
    el(
      "a",
      { class: "card", href: orderHash(order.id) },
      el(
        "div",
        { class: "line" },
        el("span", { class: "amount" }, rupees(order.amount)),
        el("time", { class: "quiet", datetime: order.created_at }, moment(order.created_at)),
      ),
      el("span", null, order.payee.name),
      order.phone && el("span", { class: "quiet" }, `${t("order_of")} ${spaced(order.phone)}`),
      paid && el("span", { class: "good" }, `${t("payment_captured")} · ${t("rrn")} ${paid.rrn}`),
    ),
  );
}

function findForm(app) {
  const [field, hint, wrong] = [newId(), newId(), newId()];
  const input = el("input", {
    id: field,
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-describedby": `${hint} ${wrong}`,
  });
  const error = el("p", { id: wrong, class: "bad" });
  const refuse = (name) => {
    error.textContent = t(name);
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  const submit = async (event) => {
    event?.preventDefault();
    error.textContent = "";
    input.removeAttribute("aria-invalid");
    const text = input.value.trim();
    if (text === "") return refuse("find_empty");
    if (!text.includes("?")) {
      location.hash = orderHash(text);
      return undefined;
    }
    try {
      const id = await orderOfLink(text);
      if (id === null) return refuse("find_none");
      location.hash = orderHash(id);
    } catch (problem) {
      if (!(problem instanceof StoppedError)) throw problem;
      app.stop();
    }
    return undefined;
  };
  const scanned = async () => {
    const text = await scan();
    if (text === null) return;
    input.value = text;
    await submit();
  };
  return el(
    "section",
    null,
    el("h2", null, t("find")),
    el(
      "form",
      { class: "stack", submit, novalidate: true },
      el(
        "div",
        { class: "field" },
        el("label", { for: field }, t("find_what")),
        input,
        el("p", { id: hint, class: "hint" }, t("find_hint")),
        error,
      ),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "submit" }, t("find_open")),
        canScan() ? el("button", { type: "button", click: scanned }, t("scan")) : null,
      ),
    ),
  );
}

/** The id of the order that a UPI link pays, null if it is none of this stack's. */
async function orderOfLink(link) {
  const reference = new URLSearchParams(link.slice(link.indexOf("?") + 1)).get("tr");
  if (reference === null) return null;
  const { body } = await ask(withQuery("orders", { reference }));
  return body.data[0]?.id ?? null;
}
