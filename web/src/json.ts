/**
 * JSON that can be read in one way only, and written in the one in which it is hashed.
 *
 * `JSON.parse` takes the last of two equal names, and reads 5.0 as 5: then somebody could be shown one thing and the
 * signature be over another. Whatever another reader might take for something else is refused here.
 */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export class UnreadableError extends Error {}

/** Deeper than anything that is read here. */
const DEEPEST = 10;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
/** A text with its quotes; what is inside is left to `JSON.parse`, which reads it in the one way there is. */
const TEXT = /"(?:[^"\\]|\\.)*"/y;
const BLANK = /[ \t\n\r]*/y;

/** Reads a text. Throws UnreadableError if it is no JSON, says a name twice, or has a number that is not whole. */
export function readJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.ends();
  return value;
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  value(depth: number): Json {
    if (depth > DEEPEST) throw new UnreadableError("nested too deep");
    this.take(BLANK);
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.list(depth);
      case '"':
        return this.string();
      default:
        return this.word();
    }
  }

  ends(): void {
    this.take(BLANK);
    if (this.at !== this.text.length) throw new UnreadableError("something stands behind it");
  }

  private object(depth: number): JsonObject {
    // without a prototype, so that no name is there before it is read
    const found: JsonObject = Object.create(null);
    this.each("}", () => {
      const name = this.string();
      if (name in found) throw new UnreadableError("a name is there twice");
      this.expect(":");
      found[name] = this.value(depth + 1);
    });
    return found;
  }

  private list(depth: number): Json[] {
    const found: Json[] = [];
    this.each("]", () => found.push(this.value(depth + 1)));
    return found;
  }

  private each(end: string, read: () => void): void {
    this.at += 1;
    this.take(BLANK);
    if (this.text[this.at] === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      this.take(BLANK);
      read();
      this.take(BLANK);
      if (this.text[this.at] === end) break;
      this.expect(",");
    }
    this.at += 1;
  }

  private string(): string {
    const quoted = this.take(TEXT);
    try {
      return JSON.parse(quoted ?? "");
    } catch {
      throw new UnreadableError("a text is none");
    }
  }

  private word(): Json {
    for (const [word, value] of [
      ["null", null],
      ["true", true],
      ["false", false],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const digits = this.take(NUMBER);
    const number = Number(digits);
    if (!digits || digits === "-0" || !Number.isSafeInteger(number)) throw new UnreadableError("a number is not whole");
    return number;
  }

  private expect(sign: string): void {
    this.take(BLANK);
    if (this.text[this.at] !== sign) throw new UnreadableError(`${sign} is missing`);
    this.at += 1;
  }

  private take(what: RegExp): string | undefined {
    what.lastIndex = this.at;
    const found = what.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

/** JSON as it is hashed: names sorted, no blanks, nothing but ASCII. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${text(name)}:${canonical(value[name] as Json)}`).join(",")}}`;
  }
  return typeof value === "string" ? text(value) : String(value);
}

const text = (value: string): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
