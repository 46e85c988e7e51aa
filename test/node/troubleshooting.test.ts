// docs/troubleshooting.md has every code that clients and operators see, and the words of the ten mistakes.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/model/error-table.ts";
import { CLOSE } from "../../src/model/errors.ts";
import { TEN, WRONG_ARGUMENTS, type Mistake } from "../support/ten-mistakes.ts";

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
const flat = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

const PAGE = read("docs/troubleshooting.md");
/** Items of the lists behind the ten mistakes: one or several codes, then what they mean. */
const ITEMS = PAGE.slice(PAGE.indexOf("\n## Tokens"))
  .split(/\n(?=- |#)/)
  .flatMap((item) => {
    const { codes = "", text = "" } =
      /^- (?<codes>(?:\d{4} )?`[a-z_]+`(?:, `[a-z_]+`)*|\d{4}): (?<text>[^]+)/.exec(item)?.groups ??
      {};
    const found = codes.match(/\d{4}|[a-z_]+/g) ?? [];
    return found.length > 0 ? [{ codes: found, text: flat(text) }] : [];
  });
const listed = ITEMS.flatMap(({ codes }) => codes);

/** The union type of what clients have beside the table and the close codes. */
const CLIENTS = [
  ...(read("src/client/model/client-errors.ts")
    .split("export type ClientErrorCode")[1]
    ?.matchAll(/"(?<code>[a-z_]+)"/g) ?? []),
].map(({ groups }) => groups!["code"]!);

/** Closes of refused sockets, which have no name: src/edge/answer/refused-socket.ts. */
const REFUSED = /\[REFUSED_FOR_NOW, REFUSED\] = \[(?<codes>[\d, ]+)\]/
  .exec(read("src/edge/answer/refused-socket.ts"))!
  .groups!["codes"]!.split(", ");

describe("the page", () => {
  it("has every code of the table of errors, and of clients, once", () => {
    const named = Object.keys(CLOSE);
    const codes = [...Object.keys(ERRORS), ...CLIENTS];
    expect(CLIENTS).toContain("no_token");
    expect(listed.filter((code) => /^[a-z]/.test(code)).toSorted()).toEqual(
      [...codes, ...named].toSorted(),
    );
  });

  it("has every close code, with its name", () => {
    const pairs = Object.entries(CLOSE).map(([name, code]) => [`${code}`, name]);
    const found = ITEMS.filter(({ codes: [code = ""] }) => /^\d/.test(code)).map(
      ({ codes }) => codes,
    );
    expect(found.toSorted()).toEqual([...pairs, ...REFUSED.map((code) => [code])].toSorted());
  });

  it("says more of each than its name", () => {
    expect(ITEMS.filter(({ text }) => !/^.{12,}[.)]$/.test(text))).toEqual([]);
  });

  it.each(Object.entries(TEN))("has the words of %s", (mistake, { code, message, action }) => {
    const page = flat(PAGE);
    // Problems of one worker have the same frame, which stands once.
    const [frame = "", problem = frame] = message.split("\n\n1. ");
    const words = SHORTENED.get(mistake as Mistake) ?? flat(problem);
    for (const text of [flat(frame), words, flat(action)]) expect(page).toContain(text);
    expect(page).toContain(`${code} `);
  });

  it("has the words of wrong arguments", () => expect(flat(PAGE)).toContain(WRONG_ARGUMENTS));
});

/** Two secrets have the same lines. */
const SHORTENED: ReadonlyMap<Mistake, string> = new Map([
  ["a missing secret", "JWT_SECRET is missing, and so is JWT_JWKS_URL; one of them is needed."],
]);
