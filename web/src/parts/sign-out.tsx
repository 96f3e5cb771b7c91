import { signOut } from "../api/session";
import { go } from "../router";
import { texts } from "../texts";
import { Act } from "./fields";

/** Nobody waits for it: whoever signs out sees at once that they are. */
export function SignOut() {
  const leave = () => {
    signOut();
    go("sign-in");
  };
  return <Act onPress={leave}>{texts.value.security.signOut}</Act>;
}
