// The templates, and how one becomes a project. A project is `templates/common` with the template's files over it.

import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const TEMPLATES = [
  { name: "minimal", label: "Minimal", hint: "one hub, its test, a client for the terminal" },
  { name: "chat-react", label: "Chat in React", hint: "presence and history, bundled by vite" },
  {
    name: "signalr",
    label: "SignalR",
    hint: "the chat of Microsoft's tutorial, clients unchanged",
  },
  {
    name: "orders",
    label: "Orders",
    hint: "order channels, an event feed, a service that publishes",
  },
] as const;

export type TemplateName = (typeof TEMPLATES)[number]["name"];

export const isTemplate = (name: string): name is TemplateName =>
  TEMPLATES.some((template) => template.name === name);

export interface Project {
  /** Made if it is not there; must be empty. */
  readonly folder: string;
  readonly template: TemplateName;
  /** Version, range or tarball of dormouse-hubs. */
  readonly dormouse: string;
  /** Node's version of the machine: scripts in TypeScript need 22.18, and npm installs one beside it on
   * older machines. */
  readonly nodeVersion: string;
}

const ROOT = fileURLToPath(new URL("../templates/", import.meta.url));

/** Names that npm leaves out of packages, or changes. */
const RENAMED = { _gitignore: ".gitignore", "_package.json": "package.json" };

/** Files in which the project's name stands. */
const NAMED = ["wrangler.toml", "package.json", "README.md", "index.html", "page/index.html"];

/** A reason why nothing can be made there, as a sentence. */
export function obstacle(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  if (!statSync(folder).isDirectory()) return `${folder} is not a folder.`;
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return `${folder} cannot be read and written.`;
  }
  const found = readdirSync(folder).filter((name) => name !== ".git");
  return found.length > 0 ? `${folder} is not empty.` : undefined;
}

/** A name for npm and Cloudflare: small letters, digits and dashes. */
export const nameFor = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, 50)
    .replace(/-$/, "") || "dormouse-app";

/** Throws where the folder is not empty, or cannot be made. */
export function make({ folder, template, dormouse, nodeVersion }: Project): void {
  const reason = obstacle(folder);
  if (reason !== undefined) throw new Error(reason);
  makeFolder(folder);
  for (const part of ["common", template]) cpSync(join(ROOT, part), folder, { recursive: true });
  for (const [from, to] of Object.entries(RENAMED))
    renameSync(join(folder, from), join(folder, to));
  const name = nameFor(folder);
  for (const file of NAMED.filter((one) => existsSync(join(folder, one))))
    edit(join(folder, file), (text) => text.replaceAll("my-app", name));
  edit(join(folder, "package.json"), (text) => {
    const manifest = JSON.parse(text) as Manifest;
    manifest.dependencies["dormouse-hubs"] = dormouse;
    if (isOld(nodeVersion)) manifest.devDependencies["node"] = "^24.0.0";
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${folder} cannot be made (${code}).`, { cause });
  }
}

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 22 || (major === 22 && minor < 18);
}
