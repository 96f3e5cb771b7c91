import { addressOf } from "../router";
import { texts } from "../texts";

/** What to do about what worries people, and whom to ask next. */
export function Help() {
  const say = texts.value.help;
  const answers: [string, string][] = [
    [say.deducted, say.deductedMore],
    [say.unknown, say.unknownMore],
    [say.wrong, say.wrongMore],
    [say.stranger, say.strangerMore],
    [say.ladder, say.ladderMore],
  ];
  return (
    <>
      <p class="quiet">{say.lead}</p>
      {answers.map(([question, answer]) => (
        <details key={question} class="sheet">
          <summary>{question}</summary>
          <p>{answer}</p>
        </details>
      ))}
      <a href={addressOf("security")}>{texts.value.screens.security}</a>
    </>
  );
}
