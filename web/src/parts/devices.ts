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

const nameOf = (said: string, known: readonly [RegExp, string][]) => known.find(([sign]) => sign.test(said))?.[1];

/** `Chrome · Windows` of a User-Agent; what is none of a browser's stays as it is. */
export function deviceOf(said: string): string {
  const names = [nameOf(said, BROWSERS), nameOf(said, SYSTEMS)].filter(Boolean);
  return names.length === 2 ? names.join(" · ") : said;
}
