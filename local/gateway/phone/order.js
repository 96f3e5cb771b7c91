// One payment: whom it is for, what the payer may do, what came of it.

import { actionButton } from "./acting.js";
import { copyButton } from "./copy.js";
import { draw, drawOne, el, newId } from "./dom.js";
import { ask, withQuery } from "./server.js";
import { moment, rupees, spaced, t, word } from "./texts.js";

export function orderView(app, id) {
  const path = `orders/${encodeURIComponent(id)}`;
  const bill = el("div");
  const choices = el("div");
  const payments = el("ul", { class: "list" });
  const told = el("ul", { class: "list" });
  const [nonePaid, noneTold] = [el("div"), el("div")];
  const results = el(
    "section",
    { hidden: true },
    el("h3", null, t("order_result")),
    nonePaid,
    payments,
    el("details", null, el("summary", null, t("order_told")), el("div", { class: "stack" }, noneTold, told)),
  );
  let isMissing = false;
  return {
    title: t("order_pay"),
    node: el(
      "section",
      null,
      el("a", { href: "#upi" }, t("order_back")),
      el("h2", { tabindex: "-1" }, t("order_pay")),
      bill,
      choices,
      results,
    ),
    // one that is missing is asked for once
    asks: () => (isMissing ? {} : { order: path, told: withQuery("deliveries", { order_id: id }) }),
    draw({ order, told: answer }) {
      if (order === undefined) return;
      isMissing = order.error !== undefined;
      results.hidden = isMissing;
      if (isMissing) {
        drawOne(bill, id, () => el("p", { class: "notice" }, t("order_missing", { id })));
        return;
      }
      const { deliveries } = answer;
      const { payments: made, status, is_open: isOpen, ...asked } = order;
      drawOne(bill, asked, billCard);
      const why = status === "paid" ? "order_closed_paid" : "order_closed_over";
      drawOne(choices, isOpen ? "open" : why, (state) =>
        state === "open" ? actions(app, path) : el("p", { class: "quiet" }, t(state)),
      );
      const tried = made.filter((payment) => payment.status !== "created");
      draw(
        payments,
        tried,
        (payment) => payment.id,
        (payment) => paymentItem(app, payment),
      );
      drawOne(nonePaid, tried.length ? null : true, () => el("p", { class: "quiet" }, t("order_result_none")));
      const numbered = deliveries.map((delivery, number) => ({ number, ...delivery }));
      draw(told, numbered, (delivery) => delivery.number, deliveryItem);
      drawOne(noneTold, deliveries.length ? null : true, () => el("p", { class: "quiet" }, t("order_told_none")));
    },
  };
}

function billCard(order) {
  return el(
    "div",
    { class: "stack" },
    el(
      "div",
      { class: "card bill" },
      el("span", { class: "payee", "aria-hidden": "true" }, order.payee.name[0]),
      el("p", null, el("strong", null, order.payee.name)),
      el("p", { class: "quiet" }, order.payee.vpa),
      el("p", { class: "amount" }, rupees(order.amount)),
    ),
    facts([
      ["order_of", order.phone === null ? t("order_unknown") : spaced(order.phone)],
      ["order_at", moment(order.created_at)],
      ["order_id", order.id],
    ]),
  );
}

function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs.flatMap(([name, value]) => [el("dt", null, t(name)), el("dd", null, value)]),
  );
}

function actions(app, path) {
  const copies = el("input", {
    id: newId(),
    type: "number",
    min: "0",
    max: "100",
    step: "1",
    value: "0",
    required: true,
  });
  const shuffled = el("input", { id: newId(), type: "checkbox" });
  const travel = el(
    "details",
    null,
    el("summary", null, t("order_travel")),
    el(
      "div",
      { class: "stack" },
      el("p", { class: "hint" }, t("order_travel_hint")),
      el("div", { class: "field" }, el("label", { for: copies.id }, t("order_copies")), copies),
      el("div", { class: "check" }, shuffled, el("label", { for: shuffled.id }, t("order_shuffled"))),
    ),
  );
  const item = ({ name, outcome, delays }) => {
    const [about, delay] = [newId(), delays === undefined ? null : delayField(delays)];
    const request = () => {
      if (!copies.checkValidity()) {
        travel.open = true;
        copies.reportValidity();
        return null;
      }
      const play = { outcome, duplicates: Number(copies.value), out_of_order: shuffled.checked };
      return [`${path}/pay`, delay === null ? play : { ...play, delay_s: Number(delay.select.value) }];
    };
    const then = async ({ payments }) => {
      const { body: order } = await ask(path);
      const ids = new Set(payments.map((payment) => payment.id));
      return order.payments
        .filter((payment) => ids.has(payment.id))
        .map(paymentSentence)
        .join("\n");
    };
    const kind = { approve: "approve", decline: "decline" }[name] ?? null;
    return el(
      "li",
      { class: "action" },
      actionButton(app, name, { request, then, class: kind, "aria-describedby": about }),
      el("p", { id: about, class: "hint" }, t(`${name}_what`)),
      delay?.node,
    );
  };
  return el(
    "section",
    null,
    el("h3", null, t("order_actions")),
    el("ul", { class: "list" }, app.actions.common.map(item)),
    el("details", null, el("summary", null, t("order_rest")), el("ul", { class: "stack" }, app.actions.rest.map(item))),
    travel,
  );
}

function delayField(delays) {
  const select = el(
    "select",
    { id: newId() },
    delays.map((seconds) => el("option", { value: seconds }, t(`seconds_${seconds}`))),
  );
  return { select, node: el("div", { class: "field" }, el("label", { for: select.id }, t("order_delay")), select) };
}

function paymentSentence({ amount, status, rrn }) {
  const values = { amount: rupees(amount), status: word(`payment_${status}`, status), rrn };
  return t(rrn === null ? "done_payment" : "done_payment_rrn", values);
}

function paymentItem(app, payment) {
  const { id, amount, amount_refunded: back, status, captured, rrn, refunds, disputes } = payment;
  const shown = rrn === null ? null : el("span", null, rrn);
  return el(
    "li",
    { class: "card" },
    el(
      "div",
      { class: "line" },
      el("span", { class: "amount" }, rupees(amount)),
      el("span", { class: captured ? "good" : status === "failed" ? "bad" : null }, word(`payment_${status}`, status)),
    ),
    facts([
      ...(shown === null ? [] : [["rrn", shown]]),
      ["payment", id],
      ...(back ? [["refunded", rupees(back)]] : []),
    ]),
    shown && el("div", { class: "buttons" }, copyButton(app, "copy_rrn", shown)),
    captured || refunds.length ? afterwards(app, payment, refunds, disputes) : null,
  );
}

function afterwards(app, { id, amount, amount_refunded: back, captured }, refunds, disputes) {
  const line = (one, kind, isOpen) => {
    const status = word(`${kind}_${one.status}`, one.status);
    const body = kind === "refund" ? (outcome) => ({ outcome }) : (state) => ({ status: state });
    const ends = app.actions[`${kind}s`].map((end) =>
      actionButton(app, `${kind}_to_${end}`, { request: () => [`${kind}s/${one.id}`, body(end)] }),
    );
    return el(
      "li",
      { class: "stack" },
      el("p", null, t(`${kind}_one`, { amount: rupees(one.amount), status })),
      isOpen ? el("div", { class: "buttons" }, ends) : null,
    );
  };
  const begin = (name) => actionButton(app, name, { request: () => [`payments/${id}/${name}`, {}] });
  const touched = refunds.length + disputes.length > 0;
  return el(
    "details",
    { open: touched },
    el("summary", null, t("order_afterwards")),
    el(
      "div",
      { class: "stack" },
      el(
        "div",
        { class: "buttons" },
        captured && back < amount ? begin("refund") : null,
        captured ? begin("dispute") : null,
      ),
      touched
        ? el(
            "ul",
            { class: "list" },
            refunds.map((refund) => line(refund, "refund", refund.status === "pending")),
            disputes.map((dispute) => line(dispute, "dispute", !["won", "lost", "closed"].includes(dispute.status))),
          )
        : null,
    ),
  );
}

function deliveryItem({ event, status, tries, answers }) {
  return el("li", { class: "card" }, t("order_told_one", { event, status, tries, answer: answers.at(-1) ?? "–" }));
}
