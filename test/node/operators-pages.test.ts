// Pages that operators search by name: each variable, event of the log, metric and operation of REST stands on its
// page.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(`${PROJECT}${path}`, "utf8");

const sources = readdirSync(`${PROJECT}src`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => read(`src/${file}`))
  .join("\n");

const foundBy = (pattern: RegExp): string[] => [
  ...new Set([...sources.matchAll(pattern)].map(([, name]) => name!)),
];

/** Names that the page does not have in code's quotes; behind one may stand its labels. */
const missingOn = (page: string, names: readonly string[]): string[] => {
  const text = read(`docs/${page}.md`);
  return names.filter((name) => !new RegExp(`\`${name}[\`{/]`).test(text));
};

it("docs/settings.md has every variable and binding of the worker", () => {
  const names = foundBy(/^ {2}(?:readonly )?([A-Z]+(?:_[A-Z]+)*)\??: .*;$/gm);
  expect(names).toContain("JWT_ISSUER");
  expect(names).toContain("LOG_CONNECTIONS");
  expect(missingOn("settings", names)).toEqual([]);
});

it("docs/log.md has every event of the log", () => {
  const names = foundBy(/\blog(?:Error|Warning|Info|Debug|Connection)\((?:[^"()]*, )?"([a-z_]+)"/g);
  expect(names.length).toBeGreaterThan(50);
  expect(missingOn("log", names)).toEqual([]);
});

it("docs/seeing.md has every metric", () => {
  const named = read("src/edge/ops/metrics.ts") + read("src/edge/ops/latencies.ts");
  const names = [
    ...named.matchAll(/(?:name: |^ {2}\[|(?:counter|named)\(\s*)"(?:dormouse_)?([a-z_]+)"/gm),
  ];
  expect(names.length).toBeGreaterThan(17);
  const metrics = names.map(([, name]) => `dormouse_${name!}`);
  expect(missingOn("seeing", metrics)).toEqual([]);
});

it("docs/rest.md has what rooms and users have beyond Azure's", () => {
  const files = ["room", "publish", "user"].map((name) =>
    read(`src/edge/rest/${name}-operations.ts`),
  );
  const paths = [...files.join("\n").matchAll(/path:\s*"\/([^"]+)"/g)].map(([, path]) => path!);
  expect(paths.length).toBeGreaterThan(15);
  const page = read("docs/rest.md") + read("docs/log.md");
  const words = paths.map((path) => path.split("/").at(-1)!).filter((word) => /^[:a-z]/.test(word));
  expect(words.filter((word) => !page.includes(word))).toEqual([]);
});

it("docs/operations.md has the bills of docs/costs.md, rounded", () => {
  const billed = (load: string) =>
    Number(
      new RegExp(`^\\| ${load}.*?\\*\\*\\$([\\d.]+)\\*\\*`, "m").exec(read("docs/costs.md"))![1],
    );
  const shown = [...read("docs/operations.md").matchAll(/^\| ([^|]*) \| \$([\d.]+) \|$/gm)];
  expect(shown.map(([, , dollars]) => Number(dollars))).toEqual([
    billed("idle, all in one room"),
    billed("idle, each in a room of its own"),
    Math.round(billed("chat in rooms of 50")),
    Math.round(billed("orders by REST")),
  ]);
});
