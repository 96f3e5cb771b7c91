import { useEffect } from "preact/hooks";
import { askOperator, operator } from "../operator";
import { texts } from "../texts";

/** The way to the pretend phone of a stack on one's own machine; nothing where there is none. */
export function PretendPhone({ holds, order }: { holds: "message" | "payment"; order?: string | null }) {
  useEffect(askOperator, []);
  const address = operator.value.simulator_url;
  const there = order ? `upi/${order}` : "messages";
  return address === undefined ? null : (
    <p class="pretend">
      {texts.value.simulator[holds]}{" "}
      <a href={`${address}/phone/#${there}`} target="simulator" rel="noopener">
        {texts.value.simulator.open}
      </a>
    </p>
  );
}
