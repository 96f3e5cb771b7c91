import { api } from "../api/client";
import { Code } from "../parts/code";
import { Copy } from "../parts/copy";
import { Act } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { WhenLoaded } from "../parts/loading";
import { Stopped, useStopped } from "../parts/stopped";
import { addressOf } from "../router";
import { texts } from "../texts";

/** One's own code, to be scanned from the screen or from paper: what is printed is the name, the code and its number. */
export function Receive() {
  const [code, again] = useLoaded(() => api.GET("/wallet/qr"));
  const [me] = useLoaded(() => api.GET("/me"));
  const stopped = useStopped();
  return (
    <>
      {stopped && <Stopped by={stopped} />}
      {/* a poster without a name is of no use: the code waits for it, but not for long if nobody answers */}
      <WhenLoaded loaded={me.value.is === "loading" ? me.value : code.value} again={again}>
        {(one) => {
          const number = one.code.replace(/^wallet:/, "");
          return (
            <section class="sheet">
              <div class="printout">
                {me.value.is === "there" && <h2>{me.value.value.name}</h2>}
                <p class="onpaper">{texts.value.receive.scan}</p>
                <Code svg={one.svg} says={texts.value.receive.codeOf} />
                <p class="number">{number}</p>
                <p class="onpaper">{texts.value.receive.check}</p>
              </div>
              <p class="quiet">{texts.value.receive.lead}</p>
              <div class="actions">
                <Copy text={number} says={texts.value.add.copyNumber} />
                <Act onPress={() => print()}>{texts.value.receive.print}</Act>
              </div>
            </section>
          );
        }}
      </WhenLoaded>
      <a class="button first" href={addressOf("requests")}>
        {texts.value.receive.ask}
      </a>
    </>
  );
}
