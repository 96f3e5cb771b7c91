import "./style.css";
import { render } from "preact";
import { accessToken } from "./api/session";
import { Frame } from "./parts/frame";

// a cookie may open a session at once; where nobody answers, the screens say so themselves
accessToken().catch(() => undefined);
render(<Frame />, document.body);

// what the back/forward cache kept may be somebody's who has signed out since
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
