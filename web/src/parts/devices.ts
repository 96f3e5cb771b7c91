/** What somebody knows a device by. Browsers say much of themselves that only they understand, and may say anything. */

// in this order: each of them also calls itself by the names of those below
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(A|iOS)?\//, "Edge"],
  [/\b(OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Headless)?Chrom(e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bMac OS X\b/, "Mac"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

const nameOf = (userAgent: string, known: readonly [RegExp, string][]) =>
  known.find(([sign]) => sign.test(userAgent))?.[1];

/** `Chrome · Windows` of a User-Agent; what is none of a browser's stays as it is. */
export function deviceOf(userAgent: string): string {
  const names = [nameOf(userAgent, BROWSERS), nameOf(userAgent, SYSTEMS)].filter(Boolean);
  return names.length === 2 ? names.join(" · ") : userAgent;
}
