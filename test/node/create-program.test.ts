// What `npm create dormouse-hubs` says of a folder or an option that it cannot use. Projects that it makes are in
// test/e2e/create.test.ts.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
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
import { afterEach, beforeEach, expect, it } from "vitest";
import { PROGRAM_MS } from "../support/patience.ts";

const PROGRAM = fileURLToPath(
  new URL("../../packages/create-dormouse-hubs/src/main.ts", import.meta.url),
);

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "dormouse-create-"));
  writeFileSync(join(home, "file"), "");
  symlinkSync("nowhere", join(home, "dangling"));
  mkdirSync(join(home, "full"));
  writeFileSync(join(home, "full/file"), "");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const create = (...args: string[]) =>
  spawnSync(process.execPath, [PROGRAM, ...args, "--yes"], {
    ...{ cwd: home, encoding: "utf8", timeout: PROGRAM_MS },
  });

it.each([
  ["full", "full is not empty."],
  ["file", "file is not a folder."],
  ["file/app", "file/app cannot be made (ENOTDIR)."],
  ["dangling", "dangling cannot be made (ENOENT)."],
])("makes nothing in %s, and says why", (folder, words) => {
  const { status, stdout, stderr } = create(folder);
  expect({ status, stdout, stderr }).toEqual({
    ...{ status: 1, stdout: "", stderr: `${join(home, words)}\n` },
  });
});

// Root may write everywhere.
it.skipIf(process.getuid?.() === 0).each([0o555, 0o333])(
  "makes nothing in an empty folder of mode %o, and says why",
  (mode) => {
    const folder = join(home, "theirs");
    mkdirSync(folder);
    chmodSync(folder, mode);
    const made = create("theirs");
    chmodSync(folder, 0o755); // for its removal
    expect(made).toMatchObject({
      ...{ status: 1, stdout: "", stderr: `${folder} cannot be read and written.\n` },
    });
  },
);

it.each([["--nope"], ["--dormouse"], ["--template", "vue"], ["one", "two"], [""]])(
  "refuses %s with exit code 2 and the usage",
  (...args) => {
    const { status, stderr } = create(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining("Usage: npm create")]);
  },
);

it("names a worker as Cloudflare takes it, whatever the folder is called", () => {
  const folder = `${"a".repeat(49)} My App`;
  expect(create(folder).status).toBe(0);
  const toml = readFileSync(join(home, folder, "wrangler.toml"), "utf8");
  expect(toml).toContain(`name = "${"a".repeat(49)}"`);
});

it.each(["plain_1", "a $HOME b", "it's", "a&b", "-dash"])(
  "tells a shell how to go to %s",
  (name) => {
    const { stdout } = spawnSync(process.execPath, [PROGRAM, "--yes", "--", name], {
      ...{ cwd: home, encoding: "utf8", timeout: PROGRAM_MS },
    });
    const [step] = /cd .+/.exec(stdout)!;
    const gone = spawnSync("sh", ["-c", `${step} && pwd`], { cwd: home, encoding: "utf8" });
    expect(gone.stdout).toBe(`${join(home, name)}\n`);
  },
);

it("tells Windows' shells, of which one knows no single quotes", () => {
  const windows = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"win32"})';
  const { stdout } = spawnSync(process.execPath, ["--import", windows, PROGRAM, "a b", "--yes"], {
    ...{ cwd: home, encoding: "utf8", timeout: PROGRAM_MS },
  });
  expect(stdout).toContain('\n  cd "a b"\n');
});
