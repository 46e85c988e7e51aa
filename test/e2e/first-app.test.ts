// The tutorial, docs/first-app.md, as its reader follows it: the template's files with the method and the test that it
// adds, in a project with the packed package. The template itself: create.test.ts.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { install, link, type Installed } from "../support/installed.ts";
import { sourcesIn } from "../node/docs-sources.ts";

const PAGE = fileURLToPath(new URL("../../docs/first-app.md", import.meta.url));
const TSCONFIG = new URL(
  "../../packages/create-dormouse-hubs/templates/common/tsconfig.json",
  import.meta.url,
);

let project: Installed;
beforeAll(async () => {
  project = await install({
    "package.json": JSON.stringify({ name: "my-app", type: "module" }),
    "tsconfig.json": readFileSync(TSCONFIG, "utf8"),
  });
  link(join(project.folder, "node_modules"), "vitest");
  for (const { path, text } of sourcesIn("", readFileSync(PAGE, "utf8"))) {
    mkdirSync(dirname(join(project.folder, path)), { recursive: true });
    writeFileSync(join(project.folder, path), text);
  }
});
afterAll(() => project?.[Symbol.dispose]());

it("compiles what the tutorial writes", async () => {
  expect(await project.tsc("tsconfig.json")).toBe("");
});

it("passes the test that the tutorial adds", async () => {
  const shown = await project.node("node_modules/vitest/vitest.mjs", "run");
  expect(shown).toMatch(/Tests .*1 passed/);
});
