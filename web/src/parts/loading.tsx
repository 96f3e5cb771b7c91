import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Problem } from "../api/client";
import { texts } from "../texts";
import { Act, Note } from "./fields";
import type { Loaded } from "./load";
import type { Pages } from "./pages";
import { sentenceFor } from "./problems";
import { timeOf } from "./times";

/** What was asked for, or why it isn't there and what to do about it. */
export function WhenLoaded<T>({
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
      return (
        <>
          {loaded.isOld && (
            <div class="old">
              <Note warning>{texts.value.common.old(timeOf(loaded.at))}</Note>
              <Act onPress={again}>{texts.value.common.tryAgain}</Act>
            </div>
          )}
          {children(loaded.value)}
        </>
      );
    case "loading":
      return <Loading />;
    case "refused":
      return <Lost again={again} problem={loaded.problem} />;
    case "lost":
      return <Lost again={again} />;
  }
}

/** Without a problem nobody has answered. */
export function Lost({ again, problem }: { again: () => void; problem?: Problem }) {
  return (
    <>
      <Note warning>{problem ? sentenceFor(problem, texts.value) : texts.value.common.nobodyAnswers}</Note>
      <Act onPress={again}>{texts.value.common.tryAgain}</Act>
    </>
  );
}

/** Why something is lost or old, where its place stands from the start; nothing while it loads, or while all is well. */
export function Trouble<T>({ loaded, again }: { loaded: Loaded<T>; again: () => void }) {
  if (loaded.is === "loading") return null;
  return (
    <WhenLoaded loaded={loaded} again={again}>
      {() => null}
    </WhenLoaded>
  );
}

const SLOW_MS = 6000;

function useSlow(): boolean {
  const isSlow = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      isSlow.value = true;
    }, SLOW_MS);
    return () => clearTimeout(timer);
  }, [isSlow]);
  return isSlow.value;
}

/** Says that it loads, and after a while that it takes long. */
export function Loading() {
  const isSlow = useSlow();
  return (
    <p class="quiet waiting" role="status">
      {isSlow ? texts.value.common.slow : texts.value.common.loading}
    </p>
  );
}

/** Stands below a form that is being sent; it speaks only when that takes long. */
export function Slow() {
  const isSlow = useSlow();
  return (
    <p class="quiet" role="status">
      {isSlow && texts.value.pay.slow}
    </p>
  );
}

/** What stands below a list that is read page by page: that there is more, or no more, or none at all. */
export function Rest<T>({ pages, none, end }: { pages: Pages<T>; none: string; end?: string }) {
  const again = () => void pages.more();
  switch (pages.state.value) {
    case "loading":
      return <Loading />;
    case "lost":
      return <Lost again={again} />;
    case "more":
      return <Act onPress={again}>{texts.value.history.more}</Act>;
    case "end":
      return pages.rows.value.length > 0 ? end ? <p class="quiet">{end}</p> : null : <p class="quiet">{none}</p>;
    default:
      return <Lost again={again} problem={pages.state.value} />;
  }
}
