// The reference of errors and close codes: numbers from the tables of the code, meanings from docs/troubleshooting.md.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { ERRORS, GRPC, type ErrorRow } from "../../src/model/error-table.ts";
import { CLOSE } from "../../src/model/errors.ts";

/** Writes `out/errors.md` and `out/close-codes.md`. */
export function writeCodePages(out: string, troubleshooting: string): void {
  const meanings = meaningsIn(readFileSync(troubleshooting, "utf8"));
  mkdirSync(out, { recursive: true });
  writeFileSync(`${out}/errors.md`, errorsPage(meanings));
  writeFileSync(`${out}/close-codes.md`, closeCodesPage(meanings));
}

/** The first sentence of each code of the page's lists; a close code's stands under its number. */
function meaningsIn(page: string): ReadonlyMap<string, string> {
  const items = page.slice(page.indexOf("\n## Tokens")).split(/\n(?=- |#)/);
  return new Map(
    items.flatMap((item) => {
      const [, codes = "", text = ""] =
        /^- ((?:\d{4} )?`[a-z_]+`(?:, `[a-z_]+`)*|\d{4}): ([^]+)/.exec(item) ?? [];
      const found = /^\d{4}/.exec(codes) ?? codes.match(/[a-z_]+/g) ?? [];
      return found.map((code) => [code, firstSentence(text)] as const);
    }),
  );
}

const firstSentence = (text: string): string =>
  `${
    text
      .replaceAll(/\s+/g, " ")
      .trim()
      .split(/[.;:](?= |$)/, 1)[0]
  }`.replaceAll("|", "\\|");

const errorsPage = (meanings: ReadonlyMap<string, string>): string =>
  `# Errors

Each error has a stable code, the same in every protocol. Causes, and what to do:
[troubleshooting](../troubleshooting.md). JSON-RPC has the code in \`data.code\`; SignalR's clients get ASP.NET Core's
texts, or the error's message.

| code | HTTP | JSON-RPC | gRPC | meaning |
| --- | ---: | ---: | --- | --- |
${Object.entries(ERRORS as Readonly<Record<string, ErrorRow>>)
  .map(
    ([code, { http, jsonRpc, grpc }]) =>
      `| \`${code}\` | ${http} | ${jsonRpc} | ${grpcName(grpc)} | ${meanings.get(code) ?? ""} |\n`,
  )
  .join("")}`;

const grpcName = (number: number): string => {
  const [name = ""] = Object.entries(GRPC).find(([, one]) => one === number) ?? [];
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
};

const closeCodesPage = (meanings: ReadonlyMap<string, string>): string =>
  `# Close codes

Of WebSockets in JSON-RPC. Clients come back after 44xx, with the position that they have; after 45xx they do not.
SignalR has a Close message instead. What to do: [troubleshooting](../troubleshooting.md#close-codes).

| code | name | comes back | meaning |
| ---: | --- | --- | --- |
${[...Object.entries(CLOSE), ["refused for now", 4420] as const, ["refused", 4520] as const]
  .toSorted(([, a], [, b]) => a - b)
  .map(([name, code]) => `| ${code} | ${name} | ${returns(code)} | ${meanings.get(`${code}`)} |\n`)
  .join("")}`;

const returns = (code: number): string => (code >= 4400 && code < 4500 ? "yes" : "no");
