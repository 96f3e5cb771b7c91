import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { SCREENS } from "./src/addresses.ts";

/** Where a site is built, and not a part of one for Node, as tests do. */
const ofTheSite: Plugin["apply"] = (config, { command }) => command === "build" && !config.build?.ssr;

/**
 * The one page, under each screen's address: whoever opens a link gets it from a server that knows files alone. It begins
 * with the session's script, which needs no other and is run as soon as it is there; browsers would fetch what is `async`
 * behind the rest. It names the screen's own script and what that needs, so that all are on their way together.
 */
const eachScreen: Plugin = {
  name: "each-screen",
  enforce: "post",
  apply: ofTheSite,
  generateBundle(_, bundle) {
    const page = bundle["index.html"];
    if (page?.type !== "asset") throw new Error("there is no index.html");
    const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
    const session = chunks.find((one) => one.name === SESSION.name);
    const asks = `src="/${session?.fileName}"`;
    const begins = String(page.source).replace(asks, `async fetchpriority="high" ${asks}`);
    if (begins === page.source || session?.imports.length)
      throw new Error("the page doesn't begin with the session alone");
    page.source = begins;
    for (const screen of SCREENS) {
      const own = chunks.find((one) => one.facadeModuleId?.endsWith(`/src/screens/${screen}.tsx`));
      const files = own ? [own.fileName, ...own.imports].filter((file) => !begins.includes(file)) : [];
      const named = files.map((file) => `  <link rel="modulepreload" crossorigin href="/${file}">\n  `).join("");
      const source = begins.replace("</head>", `${named}</head>`);
      if (screen) this.emitFile({ type: "asset", fileName: `${screen}.html`, source });
    }
  },
};

/** The one style under a name that stays, for the page of addresses that aren't there (template.yaml, SiteNotFound). */
const styleByName: Plugin = {
  name: "style-by-name",
  enforce: "post",
  apply: ofTheSite,
  generateBundle(_, bundle) {
    const styles = Object.values(bundle).filter((one) => one.type === "asset" && one.fileName.endsWith(".css"));
    const [style] = styles;
    if (style?.type !== "asset" || styles.length > 1) throw new Error("there is not one style");
    this.emitFile({ type: "asset", fileName: "style.css", source: style.source });
  },
};

/** The site of the stack on this machine, for `npm run dev`; its API is the one that the page asks. */
function localSite(): string {
  const stack = JSON.parse(readFileSync("../.local/stack.json", "utf8")) as { web_url: string };
  return stack.web_url;
}

/** What the page itself brings, by imports that wait for nothing. */
const AT_FIRST: "$initial"[] = ["$initial"];

/** Asked for before all else, and needs nothing else. */
const SESSION = {
  name: "session",
  test: /signals-core|\/web\/src\/(begin|storage|api\/(session|answers))\./,
  priority: 4,
};

/**
 * The rest of what comes first, in three files that are fetched side by side: with its headers each is no more than a server
 * sends at once, before anything has been acknowledged (ten segments, 14.6 kB). More of them would each cost a request, and
 * compress badly. Libraries, with what of the API's client is built upon them; what every screen shares; the first screens.
 */
const BASE = { name: "base", test: /\/node_modules\/|preload-helper|\/web\/src\/api\//, tags: AT_FIRST, priority: 3 };
const SHARED = { name: "shared", test: /\/web\/src\/(texts\/|\w+\.ts$)/, tags: AT_FIRST, priority: 2 };
const FIRST = { name: "wallet", tags: AT_FIRST, priority: 1 };

/** What several of the screens use that come later. */
const LATER = { name: "later", minShareCount: 2 };

export default defineConfig(({ command }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [SESSION, BASE, SHARED, FIRST, LATER] } } },
  },
  plugins: [eachScreen, styleByName],
  ...(command === "serve" && {
    server: { proxy: { "^/(v1|docs)/|^/operator.json$": { target: localSite(), changeOrigin: true } } },
  }),
}));
