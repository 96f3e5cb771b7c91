import { useEffect } from "preact/hooks";
import { standing } from "../api/session";
import { askOperator, operator } from "../operator";
import { addressOf } from "../router";
import { texts } from "../texts";

const OMBUDSMAN = "https://cms.rbi.org.in";

/** What to do about what worries people, and whom to ask next. */
export function Help() {
  useEffect(askOperator, []);
  const say = texts.value.help;
  const answers: [string, string, "history" | "pay" | "security" | null][] = [
    [say.deducted, say.deductedMore, "history"],
    [say.unknown, say.unknownMore, "pay"],
    [say.wrong, say.wrongMore, null],
    [say.stranger, say.strangerMore, "security"],
    [say.code, say.codeMore, null],
  ];
  return (
    <>
      <p class="quiet">{say.lead}</p>
      {answers.map(([question, answer, screen]) => (
        <details key={question} class="sheet">
          <summary>{question}</summary>
          <p>{answer}</p>
          {screen !== null && standing.value === "signed_in" && (
            <a href={addressOf(screen)}>{texts.value.screens[screen]}</a>
          )}
        </details>
      ))}
      <Ladder />
      <a href={addressOf("verify")}>{texts.value.screens.verify}</a>
    </>
  );
}

/** Support, then the officer who answers for complaints, then the ombudsman; what no file says isn't made up. */
function Ladder() {
  const say = texts.value.help;
  const { name, support_phone, support_email, nodal_officer, address } = operator.value;
  return (
    <section class="sheet">
      <h2>{say.ladder}</h2>
      <ol class="steps">
        <li>
          <strong>{say.support}</strong>
          <br />
          {support_phone === undefined && support_email === undefined && say.supportPlain}
          {support_phone && <a href={`tel:${support_phone.replace(/[^+0-9]/g, "")}`}>{support_phone}</a>}
          {support_phone && support_email && <br />}
          {support_email && <a href={`mailto:${support_email}`}>{support_email}</a>}
        </li>
        <li>
          <strong>{say.officer}</strong>
          <br />
          {nodal_officer ?? say.officerPlain}
        </li>
        <li>
          <strong>{say.ombudsman}</strong>
          <br />
          {say.ombudsmanMore} <a href={OMBUDSMAN}>cms.rbi.org.in</a>
        </li>
      </ol>
      <p class="quiet">{say.quote}</p>
      {(name || address) && (
        <address>
          {name && <strong>{name}</strong>}
          {name && address && <br />}
          {address}
        </address>
      )}
    </section>
  );
}
