import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { SCREENS } from "./src/addresses";

/** The one page, under each screen's address: whoever opens a link gets it from a server that knows files alone. */
const eachScreen: Plugin = {
  name: "each-screen",
  enforce: "post",
  apply: (config, { command }) => command === "build" && !config.build?.ssr,
  generateBundle(_, bundle) {
    const page = bundle["index.html"];
    if (page?.type !== "asset") throw new Error("there is no index.html");
    for (const screen of SCREENS) {
      if (screen) this.emitFile({ type: "asset", fileName: `${screen}.html`, source: page.source });
    }
  },
};

/** The site of the stack on this machine, for `npm run dev`; its API is the one that the page asks. */
function localSite(): string {
  const stack = JSON.parse(readFileSync("../.local/stack.json", "utf8")) as { web_url: string };
  return stack.web_url;
}

export default defineConfig(({ command }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [eachScreen],
  ...(command === "serve" && {
    server: { proxy: { "^/(v1|docs)/|^/operator.json$": { target: localSite(), changeOrigin: true } } },
  }),
}));
