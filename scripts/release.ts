// The steps of .github/workflows/release.yml. dormouse-hubs and create-dormouse-hubs have one version and are published
// together.
//
//   release.ts repository <url>   names the repository in both packages, as provenance and npm's links need it
//   release.ts version            takes the changesets into version and CHANGELOG.md
//   release.ts publish            publishes what npm does not have yet

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const CREATOR = "packages/create-dormouse-hubs";
const MANIFESTS = ["package.json", `${CREATOR}/package.json`];

interface Manifest {
  version: string;
  repository?: { readonly type: "git"; readonly url: string; readonly directory?: string };
}

function run(...command: readonly [string, ...string[]]): void {
  const [program, ...args] = command;
  const { status } = spawnSync(program, args, { cwd: PROJECT, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command.join(" ")} has failed.`);
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(PROJECT + file, change(readFileSync(PROJECT + file, "utf8")));
}

const editManifest = (file: string, change: (manifest: Manifest) => void): void =>
  edit(file, (text) => {
    const manifest = JSON.parse(text) as Manifest;
    change(manifest);
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });

const versionIn = (file: string): string =>
  (JSON.parse(readFileSync(PROJECT + file, "utf8")) as Manifest).version;

function repository(url: string | undefined): void {
  if (!url?.startsWith("https://")) throw new Error("Name the repository's URL.");
  for (const file of MANIFESTS)
    editManifest(file, (manifest) => {
      const isCreator = file.startsWith(CREATOR);
      const directory = isCreator ? { directory: CREATOR } : {};
      manifest.repository = { type: "git", url: `git+${url}.git`, ...directory };
    });
}

/** One version in each place that has it. */
function version(): void {
  run("npx", "changeset", "version");
  const next = versionIn("package.json");
  editManifest(`${CREATOR}/package.json`, (manifest) => (manifest.version = next));
  edit("src/model/package-version.ts", (text) => text.replace(/(?<=VERSION = ")[^"]+/, next));
  run("npm", "install", "--package-lock-only", "--ignore-scripts");
}

/** Prints what the action makes releases of: `New tag: …`. */
function publish(): void {
  run("npx", "changeset", "publish");
  const spec = `create-dormouse-hubs@${versionIn(`${CREATOR}/package.json`)}`;
  const { stdout } = spawnSync("npm", ["view", spec, "version"], { encoding: "utf8" });
  if (stdout.trim() === "") run("npm", "publish", `./${CREATOR}`, "--access", "public");
}

const [step, argument] = process.argv.slice(2);
if (step === "repository") repository(argument);
else if (step === "version") version();
else if (step === "publish") publish();
else throw new Error("Name a step: repository, version or publish.");
