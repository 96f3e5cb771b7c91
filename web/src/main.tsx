import "./begin";
import { render } from "preact";
import { showFaults } from "./parts/fields";
import { Frame } from "./parts/frame";
import { followLinks } from "./router";
import { fetchAhead } from "./screens";
import { firstLanguage, speak } from "./texts";

/** By then the first screen usually has what it shows. */
const AHEAD_MS = 3000;

addEventListener("click", followLinks);
addEventListener("submit", showFaults);

// what the back/forward cache keeps may be somebody's who has signed out since: it keeps an empty page, and asks anew
addEventListener("pagehide", (event) => {
  if (event.persisted) render(null, document.body);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

await speak(firstLanguage());
render(<Frame />, document.body);
setTimeout(fetchAhead, AHEAD_MS);
