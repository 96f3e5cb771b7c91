/** Asks whether a cookie opens a session, while all that is shown is still on its way. */
import { resume } from "./api/session";

void resume();
