import { useSignal } from "@preact/signals";
import { api, type Schemas } from "../api/client";
import { Entries } from "../parts/entries";
import { Act, Field, Told } from "../parts/fields";
import { usePages } from "../parts/pages";
import { sentenceFor } from "../parts/problems";
import { texts } from "../texts";

type Kind = Schemas["Entry"]["type"];

/** Everything that has moved, and the months as files. */
export function History() {
  const kind = useSignal<Kind | "">("");
  const entries = usePages<Schemas["Entry"]>(async (cursor) => {
    const query = { limit: 50, ...(cursor ? { cursor } : {}), ...(kind.value ? { type: kind.value } : {}) };
    const told = await api.GET("/wallet/transactions", { params: { query } });
    return { ...told, data: typeof told.data === "string" ? undefined : told.data };
  }, kind.value);
  const kinds = Object.keys(texts.value.entries).filter((one) => one !== "in" && one !== "out") as Kind[];

  return (
    <>
      <Field label={texts.value.history.type}>
        {(attributes) => (
          <select
            {...attributes}
            value={kind.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value as Kind | "";
            }}
          >
            <option value="">{texts.value.history.every}</option>
            {kinds.map((one) => (
              <option key={one} value={one}>
                {texts.value.entries[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <section class="sheet" aria-busy={entries.state.value === "loading"}>
        {entries.rows.value.length > 0 && <Entries entries={entries.rows.value} />}
        {entries.state.value === "loading" && <p class="quiet">{texts.value.common.loading}</p>}
        {entries.state.value === "lost" && <Told warning>{texts.value.common.nobodyAnswers}</Told>}
        {entries.state.value === "end" && (
          <p class="quiet">{entries.rows.value.length > 0 ? texts.value.history.end : texts.value.history.none}</p>
        )}
        {(entries.state.value === "more" || entries.state.value === "lost") && (
          <Act onPress={() => void entries.more()}>{texts.value.history.more}</Act>
        )}
      </section>
      <Month />
    </>
  );
}

function Month() {
  const month = useSignal(new Date().toISOString().slice(0, 7));
  const busy = useSignal(false);
  const said = useSignal<string | null>(null);
  const link = useSignal<Schemas["StatementLink"] | null>(null);

  const fetchIt = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    said.value = null;
    const path = { month: month.value };
    const told = await api.GET("/wallet/statements/{month}", { params: { path } }).catch(() => null);
    busy.value = false;
    link.value = told?.data ?? null;
    if (told === null) said.value = texts.value.common.nobodyAnswers;
    else if (told.error !== undefined) said.value = sentenceFor(told.error, texts.value);
  };
  return (
    <form class="sheet" onSubmit={fetchIt}>
      <h2>{texts.value.history.months}</h2>
      <Field label={texts.value.history.month}>
        {(attributes) => (
          <input
            {...attributes}
            type="month"
            required
            value={month.value}
            onInput={(event) => {
              month.value = event.currentTarget.value;
              link.value = null;
            }}
          />
        )}
      </Field>
      {said.value && <Told warning>{said.value}</Told>}
      {link.value === null ? (
        <Act submits busy={busy.value}>
          {texts.value.history.download}
        </Act>
      ) : (
        <>
          <p role="status">{texts.value.history.opens}</p>
          {/* the file lies on another origin, which the page itself may not ask */}
          <a class="button first" href={link.value.url} download>
            {texts.value.history.download}
          </a>
        </>
      )}
    </form>
  );
}
