/** What stands for a value that is on its way. */
export const COMES = "…";

/** Names and values, one below the other; what there isn't is left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, string | null | undefined])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) =>
        value === null || value === undefined ? null : (
          <div key={name} class="pair">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
