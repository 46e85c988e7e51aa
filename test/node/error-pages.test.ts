// docs/grpc.md and docs/wire.md have codes where the table of errors has them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ERRORS, GRPC, type ErrorCode } from "../../src/model/error-table.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** A chapter of a page, to the next one. */
function chapter(page: string, heading: string): string {
  const text = readFileSync(join(import.meta.dirname, `../../docs/${page}.md`), "utf8");
  const [, found = ""] = text.split(`\n## ${heading}\n`);
  return found.split("\n## ")[0]!;
}

/** The codes in a text, as the page writes them: `token_…` and `token_*` are all that begin so. */
const codesIn = (text: string): ErrorCode[] =>
  [...text.matchAll(/`(?<code>[a-z_]+)(?<rest>[…*]?)`/g)].flatMap(({ groups }) => {
    const { code = "", rest } = groups!;
    return CODES.filter((known) => (rest ? known.startsWith(code) : known === code));
  });

/** Refusals of HTTP itself, and of REST. */
const NOT_OF_GRPC: readonly ErrorCode[] = [
  ...(["client_too_old", "method_not_allowed", "unsupported_media_type"] as const),
  ...(["upgrade_required", "no_access_keys", "invalid_filter", "invalid_continuation"] as const),
];

it("gRPC's page has each code of calls, behind the code of gRPC that it has", () => {
  const rows = [
    ...chapter("grpc", "Errors").matchAll(/^- `(?<name>[A-Z_]+)`: (?<text>[^]*?)(?=^- |(?![^]))/gm),
  ];
  const listed = rows.flatMap(({ groups }) => {
    const name = groups!["name"]!.toLowerCase().replaceAll(/_(.)/g, (_, one) => one.toUpperCase());
    return codesIn(groups!["text"]!).map((code) => [code, GRPC[name as keyof typeof GRPC]]);
  });
  const expected = CODES.filter((code) => !NOT_OF_GRPC.includes(code)).map((code) => [
    code,
    ERRORS[code].grpc,
  ]);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(expected));
});

it("the page of the wire has each code of a handshake behind its status", () => {
  const rows = [
    ...chapter("wire", "Refused handshakes").matchAll(/^\| (?<status>\d{3}) \| (?<text>.*) \|$/gm),
  ];
  const wrong = rows.flatMap(({ groups }) =>
    codesIn(groups!["text"]!).filter((code) => ERRORS[code].http !== Number(groups!["status"])),
  );
  expect([rows.length, wrong]).toEqual([11, []]);
  const unavailable = rows.filter(({ groups }) => groups!["status"] === "503");
  // A full room passes its clients to relays.
  const others = CODES.filter((code) => ERRORS[code].http === 503 && code !== "room_full");
  expect(unavailable.flatMap(({ groups }) => codesIn(groups!["text"]!)).toSorted()).toEqual(
    others.toSorted(),
  );
});
