// `dormouse types --typescript` for documents from elsewhere: whatever names they have, the file compiles and ends.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { typescriptOf } from "../../src/cli/typescript-types.ts";
import { run } from "../support/installed.ts";
import { ENDLESS, ODD } from "../support/odd-documents.ts";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

const IMPORT = 'import type { RemoteHub } from "dormouse-hubs/client";';
/** In its place, and a use of each hub's type by the name that it is said to have. */
const USES = `type RemoteHub<R> = R;
declare const odd: OddHub["methods"];
odd.new("a", "b", "c");
odd['"]: 1; }>; //*/']("*/\\n\${\`\\u2028");
// @ts-expect-error none of its values
odd['"]: 1; }>; //*/']("");
export type All = [ANameHub, AName2Hub, AName3Hub];
`;

it("gives names to what has none, or those of others", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-types-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = typescriptOf(ODD);
  expect(text).toContain(IMPORT);
  writeFileSync(join(folder, "hubs.ts"), text.replace(IMPORT, USES));
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--types", "", "--target", "es2024"];
  expect(await run(process.execPath, [TSC, ...options, "hubs.ts"], { cwd: folder })).toBe("");
});

it("ends with a sentence where references double its text again and again", () => {
  expect(() => typescriptOf([ENDLESS])).toThrow("more than 10000 references");
});
