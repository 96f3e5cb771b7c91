import { api } from "../api/client";
import { addressOf } from "../router";
import { texts } from "../texts";
import { Note } from "./fields";
import { useLoaded } from "./load";

const AGAIN_S = 30;

/** Why the API would refuse whatever is filled in; null: it wouldn't, or nobody has answered. */
export function useStopped(): "frozen" | "closing" | null {
  const [wallet] = useLoaded(() => api.GET("/wallet"), {
    everyS: (now) => (now !== null && stoppedBy(now.status) ? AGAIN_S : null),
  });
  return wallet.value.is === "there" ? stoppedBy(wallet.value.value.status) : null;
}

export const stoppedBy = (status: string): "frozen" | "closing" | null =>
  status === "frozen" || status === "closing" ? status : null;

/** Stands in place of a form. `message` is what has come of what was sent from it before. */
export function Stopped({ by, message = null }: { by: "frozen" | "closing"; message?: string | null }) {
  const where = by === "frozen" ? "security" : "help";
  return (
    <>
      {message && <Note warning>{message}</Note>}
      <Note warning>
        {texts.value.common[by]} <a href={addressOf(where)}>{texts.value.screens[where]}</a>
      </Note>
    </>
  );
}
