// The way of a message passes few files: a reader follows it, and each file has a purpose of its own.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/measure-way.ts");

it.each([
  ["a publication in a room", "1", 20, 70],
  ["a SignalR invocation", "2", 30, 140],
])("of %s (%s) has at most %i files, and %i jumps between them", async (_, way, most, jumps) => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, "--files", way]);
  const entries = stdout.split("\n").flatMap((entry) => /^[^:]+(?=:)/.exec(entry) ?? []);
  const files = new Set(entries);
  expect(files.size).toBeGreaterThan(10);
  expect([...files].slice(most)).toEqual([]);
  expect(
    entries.filter((file, at) => at > 0 && file !== entries[at - 1]).length,
  ).toBeLessThanOrEqual(jumps);
});
