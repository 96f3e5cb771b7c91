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
    },
  };
};

addEventListener("DOMContentLoaded", () => {
  // tables of responses are no landmarks: there are many, with no name
  const place = document.getElementById("swagger");
  new MutationObserver(() => {
    for (const table of place.querySelectorAll("table[role=region]")) table.removeAttribute("role");
  }).observe(place, { childList: true, subtree: true });
  window.SwaggerUIBundle({
    url: "/v1/openapi.json",
    dom_id: "#swagger",
    plugins: [ours],
    layout: "OurLayout",
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    syntaxHighlight: false,
    // a token that was typed stays in the page, and goes with it
    persistAuthorization: false,
    validatorUrl: null,
  });
});
