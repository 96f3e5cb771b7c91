import { api } from "../api/client";
import { addressOf } from "../router";
import { texts } from "../texts";
import { Note } from "./fields";
import { useLoaded } from "./load";

/** Whether the API would refuse whatever is filled in, as the wallet is frozen; not so as long as nobody has answered. */
export function useFrozen(): boolean {
  const [wallet] = useLoaded(() => api.GET("/wallet"));
  return wallet.value.is === "there" && wallet.value.value.status === "frozen";
}

export function Frozen() {
  return (
    <Note warning>
      {texts.value.home.frozen} <a href={addressOf("security")}>{texts.value.screens.security}</a>
    </Note>
  );
}
