import "./style.css";
import { render } from "preact";
import { resume } from "./api/session";
import { showFaults } from "./parts/fields";
import { Frame } from "./parts/frame";
import { followLinks } from "./router";
import { firstLanguage, speak } from "./texts";

addEventListener("click", followLinks);
addEventListener("submit", showFaults);

// what the back/forward cache keeps may be somebody's who has signed out since: it keeps an empty page, and asks anew
addEventListener("pagehide", (event) => {
  if (event.persisted) render(null, document.body);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

void resume();
await speak(firstLanguage());
render(<Frame />, document.body);
