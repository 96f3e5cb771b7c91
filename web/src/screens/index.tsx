import type { FunctionComponent } from "preact";
import { Later } from "../parts/later";
import type { Screen } from "../router";
import { AddMoney } from "./add";
import { Entry } from "./entry";
import { Help } from "./help";
import { History } from "./history";
import { Holds } from "./holds";
import { Home } from "./home";
import { Limits } from "./limits";
import { Pay } from "./pay";
import { Receive } from "./receive";
import { Register } from "./register";
import { Request } from "./request";
import { Requests } from "./requests";
import { Reset } from "./reset";
import { Scan } from "./scan";
import { Security } from "./security";
import { Settings } from "./settings";
import { Shop } from "./shop";
import { SignIn } from "./sign-in";
import { TopUp } from "./top-up";
import { Withdraw } from "./withdraw";
import { Withdrawal } from "./withdrawal";

const fetchVerify = () => import("./verify").then(({ Verify }) => Verify);
/** Few check a receipt, and everybody would wait for what it takes. */
const VerifyLater = () => <Later fetchScreen={fetchVerify} />;

export const screens: Record<Screen, FunctionComponent> = {
  "": Home,
  "sign-in": SignIn,
  register: Register,
  reset: Reset,
  add: AddMoney,
  "top-up": TopUp,
  pay: Pay,
  scan: Scan,
  receive: Receive,
  requests: Requests,
  request: Request,
  withdraw: Withdraw,
  withdrawal: Withdrawal,
  history: History,
  entry: Entry,
  holds: Holds,
  shop: Shop,
  limits: Limits,
  security: Security,
  help: Help,
  settings: Settings,
  verify: VerifyLater,
};

/** Shown to whoever is signed out, too. */
export const OPEN: ReadonlySet<Screen> = new Set<Screen>(["sign-in", "register", "reset", "help", "verify"]);
