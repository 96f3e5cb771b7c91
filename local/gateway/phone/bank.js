// The bank: payouts of withdrawals, and what may become of each.

import { actionButton } from "./acting.js";
import { draw, drawOne, el, newId } from "./dom.js";
import { moment, rupees, t, word } from "./texts.js";

const SHOWN = 50;

export function bankView(app) {
  const [balance, none, rest] = [el("div"), el("div"), el("div")];
  const list = el("ul", { class: "list" });
  return {
    title: t("bank"),
    node: el("section", null, el("h2", { tabindex: "-1" }, t("bank_payouts")), balance, none, list, rest),
    asks: () => ({ bank: "payouts" }),
    draw({ bank: { balance: left, payouts } }) {
      const latest = payouts.slice(-SHOWN).reverse();
      drawOne(balance, left, () => el("p", { class: "quiet" }, t("bank_balance", { amount: rupees(left) })));
      drawOne(none, latest.length ? null : true, () => el("p", { class: "quiet" }, t("bank_none")));
      draw(
        list,
        latest,
        (payout) => payout.id,
        (payout) => payoutItem(app, payout),
      );
      drawOne(rest, payouts.length > SHOWN ? true : null, () =>
        el("p", { class: "hint" }, t("bank_latest", { count: SHOWN })),
      );
    },
  };
}

function payoutItem(app, payout) {
  const id = newId();
  const next = (app.actions.payouts[payout.status] ?? []).map((outcome) =>
    actionButton(app, `payout_to_${outcome}`, {
      request: () => [`payouts/${payout.id}`, { outcome }],
      "aria-describedby": id,
    }),
  );
  const at = new Date(payout.created_at * 1000);
  const facts = [
    ["payout_is", word(`payout_${payout.status}`, payout.status)],
    ["payout_why", el("span", { lang: "en" }, payout.status_details.description ?? "")],
    ["utr", payout.utr],
    ["reference", payout.reference_id],
  ].filter(([, value]) => value);
  return el(
    "li",
    { class: "card" },
    el(
      "div",
      { class: "line", id },
      el("span", { class: "amount" }, rupees(payout.amount)),
      el("span", null, t("payout_to", { vpa: payout.fund_account.vpa.address })),
      el("time", { class: "quiet", datetime: at.toISOString() }, moment(at)),
    ),
    el(
      "dl",
      { class: "facts" },
      facts.flatMap(([name, value]) => [el("dt", null, t(name)), el("dd", null, value)]),
    ),
    next.length ? el("div", { class: "buttons" }, next) : null,
  );
}
