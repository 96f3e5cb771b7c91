// Swagger UI over the API's own document, under the site's own policy: Trusted Types with no policy at all.
//
// Swagger UI makes HTML of descriptions, and wants a policy for that. Ours are short texts with `code` and lists, so they
// are made of elements here instead; and with the factory out of sight its sanitizer does not ask for one at all. What
// the browser enforces is not changed by that.
Object.defineProperty(window, "trustedTypes", { value: undefined });

const ours = ({ React }) => {
  const element = React.createElement;
  const inline = (text) =>
    text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? element("code", { key: at }, part) : part));

  const Markdown = ({ source }) => {
    const lines = (source || "").split("\n").filter(Boolean);
    if (!lines.length) return null;
    return element(
      "div",
      { className: "markdown" },
      lines.map((line, at) => element("p", { key: at }, inline(line.replace(/^- /, "")))),
    );
  };
  // no link within the button that opens an operation
  const DeepLink = ({ text }) => element("span", null, text);
  const TextArea = (properties) => element("textarea", { "aria-label": "Body of the request", ...properties });
  // names that are the text which is seen, and a name where there is none
  const Button = ({ "aria-label": _, ...properties }) =>
    element("button", { ...properties, className: `${properties.className || ""} button` });
  // each field of the dialog wants the focus, and the last one would get it, below the token's
  const Input = ({ autoFocus: _, ...properties }) =>
    element("input", { ...properties, autoFocus: properties.id === "auth-bearer-value" });
  const CloseIcon = () => element("span", null, "Close");
  // the page around it has a title and a main part of its own, and there is one server: this site
  const Layout = ({ getComponent, specSelectors, errSelectors }) => {
    const part = (name) => element(getComponent(name, true));
    if (specSelectors.loadingStatus() === "failed") {
      return element("p", { role: "alert" }, "The API’s document did not come. Reload the page.");
    }
    return element(
      "div",
      { className: "swagger-ui" },
      element(getComponent("SvgAssets")),
      element("div", { className: "authorize-ours" }, part("AuthorizeBtnContainer")),
      element(getComponent("errors", true), { errSelectors }),
      part("operations"),
    );
  };
  return {
    components: { OurLayout: Layout },
    wrapComponents: {
      Markdown: () => Markdown,
      DeepLink: () => DeepLink,
      TextArea: () => TextArea,
      Button: () => Button,
      CloseIcon: () => CloseIcon,
      Input: () => Input,
    },
    statePlugins: {
      // a page can neither send a cookie that no script reads nor sign as IAM does
      auth: {
        wrapSelectors: {
          definitionsToAuthorize: (all) => (state) => all(state)?.filter((one) => one.has("token")),
        },
      },
      spec: { wrapActions: { updateJsonSpec: (update) => (api) => update(withNewKeys(api)) } },
    },
  };
};

// The document's example of a key is everybody's: who sent it for one payment and then for another would be refused.
const withNewKeys = (api) => {
  const { paths } = api;
  if (!paths || !crypto.randomUUID) return api;
  const made = structuredClone(api);
  for (const path of Object.values(made.paths)) {
    for (const { parameters = [] } of Object.values(path)) {
      for (const one of parameters) if (one.name === "Idempotency-Key") one.example = crypto.randomUUID();
    }
  }
  return made;
};

addEventListener("DOMContentLoaded", () => {
  // tables of responses are no landmarks: there are many, with no name
  const place = document.getElementById("swagger");
  new MutationObserver(() => {
    for (const table of place.querySelectorAll("table[role=region]")) table.removeAttribute("role");
  }).observe(place, { childList: true, subtree: true });
  const page = window.SwaggerUIBundle({
    url: "/v1/openapi.json",
    dom_id: "#swagger",
    plugins: [ours],
    layout: "OurLayout",
    // an overview, and where everybody begins
    docExpansion: "none",
    onComplete: () => page.layoutActions.show(["operations-tag", "login"], true),
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    syntaxHighlight: false,
    // a token that was typed stays in the page, and goes with it
    persistAuthorization: false,
    validatorUrl: null,
  });
});
