/** Where the screens are. The build puts the page under each of these, so that an address that isn't one is not found. */
export const SCREENS = [
  "",
  "sign-in",
  "register",
  "reset",
  "add",
  "top-up",
  "pay",
  "scan",
  "receive",
  "requests",
  "request",
  "withdraw",
  "withdrawal",
  "history",
  "entry",
  "holds",
  "shop",
  "limits",
  "security",
  "help",
  "settings",
  "verify",
] as const;
export type Screen = (typeof SCREENS)[number];

/** What an address is about, where it has to be about something. */
export const ABOUT: Partial<Record<Screen, RegExp>> = {
  entry: /^txn_[0-9a-z]{26}$/,
  "top-up": /^top_[0-9a-z]{26}$/,
  withdrawal: /^wdr_[0-9a-z]{26}$/,
  request: /^prq_[0-9a-z]{26}(,prq_[0-9a-z]{26})*$/,
};
