import type { ComponentChildren } from "preact";
import { texts } from "../texts";
import { Act, Told } from "./fields";
import type { Loaded } from "./load";
import { sentenceFor } from "./problems";

/** What was asked for, or why it isn't there and what to do about it. */
export function Shown<T>({
  loaded,
  again,
  children,
}: {
  loaded: Loaded<T>;
  again: () => void;
  children: (value: T) => ComponentChildren;
}) {
  switch (loaded.is) {
    case "there":
      return <>{children(loaded.value)}</>;
    case "loading":
      return <p class="quiet">{texts.value.common.loading}</p>;
    case "refused":
      return <Told warning>{sentenceFor(loaded.problem, texts.value)}</Told>;
    case "lost":
      return (
        <>
          <Told warning>{texts.value.common.nobodyAnswers}</Told>
          <Act onPress={again}>{texts.value.common.tryAgain}</Act>
        </>
      );
  }
}
