// Files and folders that are named to `dormouse`, and are not there or of the other kind: each command says which, and
// no code of the system.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileFault } from "../../src/cli/files.ts";
import { runCommand } from "../support/command.ts";
import { PROGRAM_MS } from "../support/patience.ts";

const PROGRAM = fileURLToPath(new URL("../../src/cli/dormouse.ts", import.meta.url));
const DOCUMENT = { openrpc: "1.3.2", info: { title: "shop" }, methods: [] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-files-"));
  writeFileSync(join(folder, "wrangler.toml"), 'name = "shop"\n');
  writeFileSync(join(folder, "main.toml"), 'name = "shop"\nmain = "nowhere.ts"\n');
  writeFileSync(join(folder, "shop.json"), JSON.stringify(DOCUMENT));
  mkdirSync(join(folder, "docs"));
  symlinkSync("loop.toml", join(folder, "loop.toml"));
  mkdirSync(join(folder, "vars/.dev.vars"), { recursive: true });
  writeFileSync(join(folder, "vars/wrangler.toml"), 'name = "shop"\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FOLDER_NEEDED = "a file is where a folder is needed.";
const types = "types --typescript --from";

it.each([
  ["admin missing", "There is no folder missing."],
  ["admin ", 'There is no folder "".'],
  ["check --config=", 'There is no file "" in'],
  ["admin shop.json", "There is no folder shop.json."],
  [`${types} missing.json`, "missing.json: there is no such file or folder."],
  [`${types}=`, '"": there is no such file or folder.'],
  [`${types} docs`, "docs: a folder is where a file is needed."],
  [`${types} shop.json/x`, `shop.json/x: ${FOLDER_NEEDED}`],
  [`${types} shop.json --out docs`, "docs: a folder is where a file is needed."],
  [`${types} shop.json --out shop.json/x/y.ts`, `shop.json/x: ${FOLDER_NEEDED}`],
  ["dev --persist-to shop.json", `${FOLDER_NEEDED}`],
  ["dev --persist-to shop.json/x", `${FOLDER_NEEDED}`],
  ["check -c loop.toml", `loop.toml: its symbolic links lead in a circle.`],
  [`${types} ${"x".repeat(300)}`, "x: the name is too long."],
  ["check -c vars/wrangler.toml", '.dev.vars": a folder is where a file is needed.'],
  ["token alice -c vars/wrangler.toml", ".dev.vars: a folder is where a file is needed."],
  ...["check", "dev", "openrpc", "token alice", "types --typescript"].flatMap((command) =>
    ["missing.toml", "docs"].map((file) => [
      `${command} -c ${file}`,
      `There is no file ${file} in`,
    ]),
  ),
  ...["openrpc", "types --typescript"].flatMap((command) => [
    [command, "main is missing: the worker has no module."],
    [`${command} -c main.toml`, "nowhere.ts, and there is no such file."],
  ]),
])("dormouse %s", async (line, words) => {
  const [name, ...args] = line!.split(" ");
  const { status, stdout, stderr } = await runCommand(folder, name!, args);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(words);
  expect(stderr.replaceAll(folder, "")).not.toMatch(/\bE[A-Z]{4,}\b|^ +at /m);
  expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
});

it.each([[".."], ["a\tb"], ["x".repeat(129)], ["alice", "--tenant", ".."]])(
  "dormouse token signs nothing for a name that the endpoint refuses: %j",
  async (...args) => {
    const { status, stdout, stderr } = await runCommand(folder, "token", args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("A name has 1–128 characters");
  },
);

describe("output that nobody takes", () => {
  const shell = (line: string) =>
    spawnSync("sh", ["-c", `"$0" "$1" ${line}`, process.execPath, PROGRAM], {
      ...{ cwd: folder, encoding: "utf8", timeout: PROGRAM_MS },
    });

  it("is no failure where its reader has gone", () => {
    const { stdout, stderr } = shell("types --typescript --from shop.json | true");
    expect([stdout, stderr]).toEqual(["", ""]);
  });

  it.runIf(existsSync("/dev/full"))("is a failure where the disk is full", () => {
    const { status, stderr } = shell("--help > /dev/full");
    expect([status, stderr]).toEqual([1, "The output: the disk is full.\n"]);
  });
});

it("types are written into a folder that is not there yet", async () => {
  const out = "client/types/shop.ts";
  const { status } = await runCommand(folder, "types", [
    ...["--typescript", "--from", "shop.json", "--out", out],
  ]);
  expect(status).toBe(0);
  expect(readFileSync(join(folder, out), "utf8")).toContain("ShopHub");
});

it("dormouse dev refuses --cwd, and says how it is done", async () => {
  expect(await runCommand(folder, "dev", ["--cwd", "my app"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("cd 'my app' && npx dormouse dev"),
  });
});

it.each([
  [{ code: "EACCES", path: "/etc/x" }, "/etc/x: this user may not read or write it."],
  [{ code: "EISDIR", path: "/a", dest: "/b" }, "/b: a folder is where a file is needed."],
  [{ code: "ECONNREFUSED" }, undefined],
  [{ code: "ENOENT" }, undefined],
])("an error with %j is told as %j", (about, words) => {
  expect(fileFault(Object.assign(new Error("raw"), about))).toBe(words);
});
