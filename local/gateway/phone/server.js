// The simulator's routes.

const PATIENCE_MS = 10_000;

/** Nobody answers, or somebody who is not the simulator. */
export class StoppedError extends Error {}

/** Asks, or acts if there is a body. Answers the status and the JSON. */
export async function ask(path, body) {
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const options = {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : sent),
    };
    const answer = await fetch(`/simulator/${path}`, options);
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    throw new StoppedError(path, { cause: error });
  }
}

/** A path with a query; values that are null are left out. */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  return `${path}?${new URLSearchParams(given)}`;
}
