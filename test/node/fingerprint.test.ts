// The fingerprint by which bundles of pages are current.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fingerprintOf } from "../../scripts/fingerprint.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const fingerprint = () => fingerprintOf(folder, ["demo", "src", "package-lock.json"]);

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "dormouse-fingerprint-"));
  fs.mkdirSync(at("demo/parts"), { recursive: true });
  for (const name of ["demo/main.ts", "demo/parts/one.ts", "package-lock.json"])
    fs.writeFileSync(at(name), name);
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

it("is the same while nothing changes, and with an editor's dangling link", () => {
  const before = fingerprint();
  fs.symlinkSync("user@host.123", at("demo/.#main.ts"));
  expect(fingerprint()).toBe(before);
});

it.each<[string, () => void]>([
  ["written", () => fs.writeFileSync(at("demo/parts/one.ts"), "other words")],
  ["replaced by an older one", () => fs.utimesSync(at("demo/main.ts"), 1, 1)],
  ["renamed", () => fs.renameSync(at("demo/main.ts"), at("demo/first.ts"))],
  ["removed", () => fs.rmSync(at("package-lock.json"))],
  ["added", () => fs.writeFileSync(at("demo/parts/two.ts"), "")],
])("is another where a file was %s", (_, change) => {
  const before = fingerprint();
  change();
  expect(fingerprint()).not.toBe(before);
});
