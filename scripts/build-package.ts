// Builds the contents of the package into dist/: one module and one declaration per source that the exports reach, and
// the files of the admin page.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundlePage } from "./bundle-page.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const TSC = `${PROJECT}node_modules/typescript/bin/tsc`;

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

rmSync(`${PROJECT}dist`, { recursive: true, force: true });
// The program's modules have no declarations, and are checked with the types of Node.
for (const options of [["tsconfig.build.json"], ["tsconfig.cli.json", "--noEmit", "false"]]) {
  const args = [TSC, "-p", ...options];
  const { status } = spawnSync(process.execPath, args, { cwd: PROJECT, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

const { bin, exports } = JSON.parse(readFileSync(`${PROJECT}package.json`, "utf8")) as Manifest;
const targets = [...Object.values(bin), ...Object.values(exports)].flatMap((target) =>
  typeof target === "string" ? [target] : Object.values(target),
);
// A target without a file would only fail at the package's users.
const missing = targets.filter((target) => !existsSync(`${PROJECT}${target}`));
if (missing.length > 0) throw new Error(`The build has made no ${missing.join(", ")}.`);

// `dormouse admin` copies them. A bundle of this repository that lies beside them may be old.
cpSync(`${PROJECT}public/admin`, `${PROJECT}dist/admin`, { recursive: true });
writeFileSync(`${PROJECT}dist/admin/admin.js`, await bundlePage("admin/main.ts"));
