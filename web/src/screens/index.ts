import type { FunctionComponent } from "preact";
import { onDemand } from "../parts/on-demand";
import type { Screen } from "../router";
import { Home } from "./home";
import { Pay } from "./pay";
import { SignIn } from "./sign-in";

/** What is not seen first comes when it is opened: everybody would wait for what all of them take. */
export const screens = {
  "": Home,
  "sign-in": SignIn,
  register: onDemand(() => import("./register").then(({ Register }) => Register)),
  reset: onDemand(() => import("./reset").then(({ Reset }) => Reset)),
  add: onDemand(() => import("./add").then(({ AddMoney }) => AddMoney)),
  "top-up": onDemand(() => import("./top-up").then(({ TopUp }) => TopUp)),
  pay: Pay,
  scan: onDemand(() => import("./scan").then(({ Scan }) => Scan)),
  receive: onDemand(() => import("./receive").then(({ Receive }) => Receive)),
  requests: onDemand(() => import("./requests").then(({ Requests }) => Requests)),
  request: onDemand(() => import("./request").then(({ Request }) => Request)),
  withdraw: onDemand(() => import("./withdraw").then(({ Withdraw }) => Withdraw)),
  withdrawal: onDemand(() => import("./withdrawal").then(({ Withdrawal }) => Withdrawal)),
  history: onDemand(() => import("./history").then(({ History }) => History)),
  entry: onDemand(() => import("./entry").then(({ Entry }) => Entry)),
  holds: onDemand(() => import("./holds").then(({ Holds }) => Holds)),
  shop: onDemand(() => import("./shop").then(({ Shop }) => Shop)),
  limits: onDemand(() => import("./limits").then(({ Limits }) => Limits)),
  security: onDemand(() => import("./security").then(({ Security }) => Security)),
  help: onDemand(() => import("./help").then(({ Help }) => Help)),
  settings: onDemand(() => import("./settings").then(({ Settings }) => Settings)),
  verify: onDemand(() => import("./verify").then(({ Verify }) => Verify)),
} satisfies Record<Screen, FunctionComponent>;

/** What most open next comes while nobody waits for it; what can't be had then comes when it is opened. */
export function fetchAhead(): void {
  if (!navigator.onLine) return;
  const { add, receive, history, entry } = screens;
  for (const one of [add, receive, history, entry]) one.fetch().catch(() => undefined);
}

const OPEN: ReadonlySet<Screen> = new Set<Screen>(["sign-in", "register", "reset", "help", "verify"]);

/** Whether it is shown to whoever is signed out, too. A receipt of one's own is fetched for its owner alone. */
export const isOpen = (screen: Screen, about: string): boolean =>
  OPEN.has(screen) && !(screen === "verify" && about.startsWith("txn_"));
