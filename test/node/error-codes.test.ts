// Every code that src throws, by its text, is in the table; and every code of the table is thrown somewhere.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/model/error-table.ts";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));
const TABLE = "model/error-table.ts";

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && file !== TABLE)
  .map((file) => ({ file, text: readFileSync(SRC + file, "utf8") }));

interface Thrown {
  readonly file: string;
  /** As written between the angle brackets; none for a code of the table. */
  readonly kind: string | undefined;
  readonly code: string;
}

const THROWN = /new (?:HubError|CallError|Refusal)(?:<(?<kind>\w+)>)?\(\s*"(?<code>[^"]*)"/g;
const FAULT = /\bcode: "(?<code>[a-z_]+)", message/g;

const codesIn = (pattern: RegExp): Thrown[] =>
  sources.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(({ groups }) => ({
      file,
      kind: groups?.["kind"],
      code: groups?.["code"] ?? "",
    })),
  );

const thrown = codesIn(THROWN);
const faults = codesIn(FAULT);

describe("the codes that src throws", () => {
  it("are many", () => {
    expect(thrown.length).toBeGreaterThan(100);
    expect(faults.length).toBeGreaterThan(2);
  });

  it("are in the table, but for those that clients have of their own", () => {
    const unknown = [...thrown.filter(({ kind }) => kind !== "ClientErrorCode"), ...faults];
    // A sample hub is an application, and has codes of its own.
    const ours = unknown.filter(({ file }) => !file.startsWith("hubs/"));
    expect(ours.filter(({ code }) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  });

  it("are clients' own in clients only, and open to any text nowhere", () => {
    const inClients = ({ file }: Thrown) => /^(?:client|react|components)\//.test(file);
    const isWrong = (one: Thrown) =>
      one.kind !== undefined && !(one.kind === "ClientErrorCode" && inClients(one));
    expect(thrown.filter(isWrong)).toEqual([]);
  });
});

it.each(Object.keys(ERRORS))("%s of the table is a code that src uses", (code) => {
  const used = new RegExp(String.raw`"${code}"|^\s*${code}: "`, "m");
  expect(sources.some(({ text }) => used.test(text))).toBe(true);
});
