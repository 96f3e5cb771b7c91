import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { SCREENS } from "./src/addresses.ts";

/** Where a site is built, and not a part of one for Node, as tests do. */
const ofTheSite: Plugin["apply"] = (config, { command }) => command === "build" && !config.build?.ssr;

/**
 * The one page, under each screen's address: whoever opens a link gets it from a server that knows files alone. It begins
 * with the session's script, which needs no other, and names the screen's own, so that all are on their way together.
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
    const begins = String(page.source).replace(asks, `async ${asks}`);
    if (begins === page.source || session?.imports.length)
      throw new Error("the page doesn't begin with the session alone");
    page.source = begins;
    for (const screen of SCREENS) {
      const own = chunks.find((one) => one.facadeModuleId?.endsWith(`/src/screens/${screen}.tsx`));
      const named = own
        ? begins.replace("</head>", `  <link rel="modulepreload" crossorigin href="/${own.fileName}">\n  </head>`)
        : begins;
      if (screen) this.emitFile({ type: "asset", fileName: `${screen}.html`, source: named });
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

/** Asked for before all else, and needs nothing else. */
const SESSION = {
  name: "session",
  test: /signals-core|\/web\/src\/(begin|storage|api\/(session|answers))\./,
  priority: 1,
};

/** All but the screens that come later is one file: of many small ones each costs a request, and compresses badly. */
const FIRST = { name: "wallet", test: (id: string) => !LATER.test(id) };
const LATER = /\/web\/src\/(screens\/(?!index|home|pay|sign-in)|texts\/hi|proof)|\/node_modules\/qr\//;

export default defineConfig(({ command }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [SESSION, FIRST] } } },
  },
  plugins: [eachScreen, styleByName],
  ...(command === "serve" && {
    server: { proxy: { "^/(v1|docs)/|^/operator.json$": { target: localSite(), changeOrigin: true } } },
  }),
}));
