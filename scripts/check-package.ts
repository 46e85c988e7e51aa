// `npm run package:check`: builds and packs the package, and has publint and attw look at the tarball.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

/** What the program prints, and what it says ends the check, where it fails. */
function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: PROJECT, encoding: "utf8" });
  if (status === 0) return stdout;
  process.stderr.write(`${stdout}${stderr}`);
  process.exit(1);
}

const node = (file: string, ...args: readonly string[]): string =>
  run(process.execPath, join(PROJECT, "node_modules", file), ...args);

const folder = mkdtempSync(join(tmpdir(), "dormouse-package-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const listed = run("npm", "pack", "--json", "--pack-destination", folder);
const [{ filename }] = JSON.parse(listed) as [{ readonly filename: string }];
const tarball = join(folder, filename);
node("publint/src/cli.js", "run", tarball, "--strict");
node("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only", "--no-emoji");
