/** One thing at a time that needs no key: it says what was wrong, and has it confirmed where that is wanted. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { isSignedOut, type Problem, type Schemas } from "../api/client";
import { texts } from "../texts";
import { Confirmation } from "./confirmation";
import { Note } from "./fields";
import { faultOf, sentenceBeside } from "./problems";

/** Something that is done for a person, and what came of it. */
export interface Work {
  busy: boolean;
  /** Runs it, and again once it is confirmed; `done` is called when it has gone through. */
  run: (work: () => Promise<{ error?: Problem | undefined }>, done?: () => void) => Promise<void>;
  /** What was wrong is no matter any more. */
  forget: () => void;
  /** What is wrong with one of the fields. */
  faultOf: (field: string) => string | null;
  problem: Problem | null;
  /** What is wrong with all of it. */
  message: ComponentChildren;
  /** The confirmation that is wanted; it has a form of its own, and stands outside of others. */
  asking: ComponentChildren;
}

export function useWork(lead = ""): Work {
  const busy = useSignal(false);
  const isLost = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const wanted = useSignal<{ how: Schemas["RequiredConfirmation"]; again: () => void } | null>(null);

  /** The fields of the form that say by themselves what is wrong with them. */
  const shown = useRef(new Set<string>());

  const forget = () => {
    isLost.value = false;
    problem.value = null;
  };
  const run: Work["run"] = async (work, done) => {
    if (busy.value) return;
    busy.value = true;
    forget();
    const answer = await work().catch(() => null);
    busy.value = false;
    wanted.value = null;
    if (answer === null) isLost.value = true;
    else if (answer.error === undefined) done?.();
    else if (answer.error.code === "confirmation_required" && answer.error.confirmation !== undefined)
      wanted.value = { how: answer.error.confirmation, again: () => void run(work, done) };
    else if (!isSignedOut(answer.error)) problem.value = answer.error;
  };
  const sentence = isLost.value
    ? texts.value.common.nobodyAnswers
    : problem.value && sentenceBeside(problem.value, shown.current, texts.value);
  return {
    busy: busy.value,
    run,
    forget,
    problem: problem.value,
    faultOf: (field) => {
      shown.current.add(field);
      return faultOf(problem.value, field, texts.value);
    },
    message: sentence ? <Note warning>{sentence}</Note> : null,
    asking: wanted.value !== null && (
      <Confirmation
        key={wanted.value.how.id}
        confirmation={wanted.value.how}
        lead={lead}
        title={texts.value.security.confirm}
        confirmed={wanted.value.again}
        dropped={() => {
          wanted.value = null;
        }}
      />
    ),
  };
}
