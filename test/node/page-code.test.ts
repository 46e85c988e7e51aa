// Code on the guides' pages that tests run: block and file are the same, word for word.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(`${PROJECT}${path}`, "utf8");

it.each([
  ["docs/database.md", ["board.ts", "stock.ts", "shop.ts", "bank.ts", "outbox.ts"]],
  ["docs/state.md", ["deliveries.ts"]],
  ["docs/testing.md", ["shop.extra.test.ts"]],
])("%s has the files that are run", (page, files) => {
  const blocks = [...read(page).matchAll(/^```ts\n(?<code>\/\/ [\w.]+\.ts: [\s\S]*?)^```$/gm)];
  expect(blocks.map(({ groups }) => groups!["code"])).toEqual(
    files.map((file) => read(`test/support/database/${file}`)),
  );
});

it("docs/first-app.md has the template's files", () => {
  const page = read("docs/first-app.md");
  const template = "packages/create-dormouse-hubs/templates/minimal";
  for (const file of ["src/greetings.ts", "scripts/hello.ts"])
    expect(page).toContain(`\`\`\`ts\n// ${file}\n${read(`${template}/${file}`)}\`\`\`\n`);
});

it("docs/state.md has the auction that is run", () => {
  const [, shown] = /^```ts\n(\/\/ AuctionHub[\s\S]*?)^```$/m.exec(read("docs/state.md")) ?? [];
  expect(shown).toBe(read("test/support/database/auction.ts"));
});

it("examples/README.md signs tokens with the secrets of the worker that it starts", () => {
  const page = read("examples/README.md");
  const [, config] = /npm run dev -- --config (\S+)/.exec(page) ?? [];
  const tokens = page.match(/npm run -s token --[^`")]*/g)!;
  expect(tokens.filter((command) => !command.endsWith(` -c ${config}`))).toEqual([]);
});
