import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { SCREENS } from "./src/addresses.ts";

/** Where a site is built, and not a part of one for Node, as tests do. */
const ofTheSite: Plugin["apply"] = (config, { command }) => command === "build" && !config.build?.ssr;

/** The one page, under each screen's address: whoever opens a link gets it from a server that knows files alone. */
const eachScreen: Plugin = {
  name: "each-screen",
  enforce: "post",
  apply: ofTheSite,
  generateBundle(_, bundle) {
    const page = bundle["index.html"];
    if (page?.type !== "asset") throw new Error("there is no index.html");
    for (const screen of SCREENS) {
      if (screen) this.emitFile({ type: "asset", fileName: `${screen}.html`, source: page.source });
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

export default defineConfig(({ command }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // what several screens use is one file: of many small ones each costs a request, and compresses badly
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] } } },
  },
  plugins: [eachScreen, styleByName],
  ...(command === "serve" && {
    server: { proxy: { "^/(v1|docs)/|^/operator.json$": { target: localSite(), changeOrigin: true } } },
  }),
}));
