// One `dormouse dev` for each folder of state, whatever became of the one before.

import { spawnSync } from "node:child_process";
import fs, {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { lockState } from "../../src/cli/state-lock.ts";
import { PROGRAM_MS } from "../support/patience.ts";

const PROGRAM = fileURLToPath(new URL("../../src/cli/dormouse.ts", import.meta.url));
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "dormouse-lock-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (holder: object | string) =>
  writeFileSync(
    join(folder, "dormouse.lock"),
    typeof holder === "string" ? holder : JSON.stringify(holder),
  );

it("a second one is refused in words until the first has let go", () => {
  const unlock = lockState(folder);
  expect(() => lockState(folder)).toThrow(
    `This worker is already running, as process ${process.pid}`,
  );
  unlock();
  lockState(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ["a process that has ended", () => ({ pid: spawnSync("true").pid, began: "" })],
  ["a process whose number another has now", () => ({ pid: process.pid, began: "1" })],
  ["no process", () => "{"],
])("a lock of %s counts for nothing", (_, holder) => {
  write(holder());
  const unlock = lockState(folder);
  expect(() => lockState(folder)).toThrow("is already running");
  unlock();
  expect(readdirSync(folder)).toEqual([]);
});

/** A spy on a function of `node:fs` until the test ends, also for modules that have imported it. */
function spyOnFs(name: "linkSync" | "renameSync") {
  const spy = vi.spyOn(fs, name);
  syncBuiltinESMExports();
  onTestFinished(() => {
    spy.mockRestore();
    syncBuiltinESMExports();
  });
  return spy;
}

function withoutHardLinks(): void {
  spyOnFs("linkSync").mockImplementation(() => {
    throw Object.assign(new Error("not permitted"), { code: "EPERM" });
  });
}

it.each([true, false])("the lock of a faster process stays (hard links: %s)", (hasLinks) => {
  if (!hasLinks) withoutHardLinks();
  const faster = JSON.stringify({ pid: process.ppid, began: "" });
  write({ pid: spawnSync("true").pid, began: "" });
  spyOnFs("renameSync").mockImplementationOnce((from, to) => {
    writeFileSync(from, faster);
    renameSync(from, to);
  });
  expect(() => lockState(folder)).toThrow(`is already running, as process ${process.ppid}`);
  expect(readdirSync(folder)).toEqual(["dormouse.lock"]);
  expect(readFileSync(join(folder, "dormouse.lock"), "utf8")).toBe(faster);
});

it("a disk without hard links has locks as well", () => {
  withoutHardLinks();
  const unlock = lockState(folder);
  expect(() => lockState(folder)).toThrow("is already running");
  unlock();
  write({ pid: spawnSync("true").pid, began: "" });
  lockState(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

it("the one that was refused leaves the lock of the first alone", () => {
  const unlock = lockState(folder);
  expect(() => lockState(folder)).toThrow("is already running");
  expect(readdirSync(folder)).toEqual(["dormouse.lock"]);
  unlock();
});

it("`dormouse dev` ends at once where another runs", () => {
  const state = join(folder, ".wrangler/state");
  const unlock = lockState(state);
  writeFileSync(join(folder, "wrangler.toml"), 'name = "x"\nmain = "worker.ts"\n');
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "dev"], {
    cwd: folder,
    encoding: "utf8",
    timeout: PROGRAM_MS,
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining(`This worker is already running, as process ${process.pid}`),
  ]);
  unlock();
});
