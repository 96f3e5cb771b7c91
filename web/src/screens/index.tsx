import type { FunctionComponent } from "preact";
import { Later } from "../parts/later";
import type { Screen } from "../router";
import { AddMoney } from "./add";
import { Entry } from "./entry";
import { Help } from "./help";
import { History } from "./history";
import { Home } from "./home";
import { Pay } from "./pay";
import { Receive } from "./receive";
import { Register } from "./register";
import { Request } from "./request";
import { Settings } from "./settings";
import { SignIn } from "./sign-in";
import { TopUp } from "./top-up";
import { Withdraw } from "./withdraw";
import { Withdrawal } from "./withdrawal";

/** What few open comes when it is opened: everybody would wait for what it takes. */
const later =
  (fetchScreen: () => Promise<FunctionComponent>): FunctionComponent =>
  () => <Later fetchScreen={fetchScreen} />;

export const screens: Record<Screen, FunctionComponent> = {
  "": Home,
  "sign-in": SignIn,
  register: Register,
  reset: later(() => import("./reset").then(({ Reset }) => Reset)),
  add: AddMoney,
  "top-up": TopUp,
  pay: Pay,
  scan: later(() => import("./scan").then(({ Scan }) => Scan)),
  receive: Receive,
  requests: later(() => import("./requests").then(({ Requests }) => Requests)),
  request: Request,
  withdraw: Withdraw,
  withdrawal: Withdrawal,
  history: History,
  entry: Entry,
  holds: later(() => import("./holds").then(({ Holds }) => Holds)),
  shop: later(() => import("./shop").then(({ Shop }) => Shop)),
  limits: later(() => import("./limits").then(({ Limits }) => Limits)),
  security: later(() => import("./security").then(({ Security }) => Security)),
  help: Help,
  settings: Settings,
  verify: later(() => import("./verify").then(({ Verify }) => Verify)),
};

const OPEN: ReadonlySet<Screen> = new Set<Screen>(["sign-in", "register", "reset", "help", "verify"]);

/** Whether it is shown to whoever is signed out, too. A receipt of one's own is fetched for its owner alone. */
export const isOpen = (screen: Screen, about: string): boolean =>
  OPEN.has(screen) && !(screen === "verify" && about.startsWith("txn_"));
