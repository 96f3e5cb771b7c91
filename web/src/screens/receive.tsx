import { api } from "../api/client";
import { Code } from "../parts/code";
import { Copy } from "../parts/copy";
import { Facts } from "../parts/facts";
import { Act } from "../parts/fields";
import { useLoaded } from "../parts/load";
import { Shown } from "../parts/loading";
import { addressOf } from "../router";
import { texts } from "../texts";

/** One's own code, to be scanned from the screen or from paper. */
export function Receive() {
  const [code, again] = useLoaded(() => api.GET("/wallet/qr"));
  const [me] = useLoaded(() => api.GET("/me"));
  return (
    <>
      <Shown loaded={code.value} again={again}>
        {(one) => {
          const number = one.code.replace(/^wallet:/, "");
          return (
            <section class="sheet">
              {me.value.is === "there" && <h2>{me.value.value.name}</h2>}
              <Code svg={one.svg} says={texts.value.receive.number} />
              <Facts rows={[[texts.value.receive.number, number]]} />
              <p class="quiet">{texts.value.receive.lead}</p>
              <Copy text={number} />
              <Act onPress={() => print()}>{texts.value.receive.print}</Act>
            </section>
          );
        }}
      </Shown>
      <a class="button first" href={addressOf("requests")}>
        {texts.value.receive.ask}
      </a>
    </>
  );
}
