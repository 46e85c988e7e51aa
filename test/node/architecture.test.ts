// What may import what, and how long a file may be (CONTRIBUTING.md#sizes, CONTRIBUTING.md#layers).

import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Outer first. A file may import its own layer and those below it, never one above. */
const LAYERS = ["edge", "auth", "hubs", "dispatch", "rooms", "webhooks", "protocols", "model"];
/** Files at the top of src/: they tie layers together, and no layer imports them … */
const ENTRIES = ["worker", "server", "hub"];
/** … but hubs, which are written in the words that those who install the package have. */
const WORDS = { from: "hubs", to: "hub" };
/** What ships to browsers, and what of ours it may take along; types may come from anywhere. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  client: ["client", "protocols", "model"],
  react: ["react", "client", "model"],
};
const LONGEST = { src: 250, test: 400 };
/** Nobody writes these, or reads them from end to end. */
const GENERATED = "protocols/proto/";

interface Import {
  readonly path: string;
  readonly isType: boolean;
}

const CLAUSE = String.raw`(?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?\s*|\{[^{}]*\}\s*)?`;
const FROM = String.raw`\b(?:import|export)\b(?<type>\s+type\b)?\s*${CLAUSE}\bfrom\s*`;
const IMPORT = new RegExp(
  String.raw`(?:${FROM}|\bimport\s*\(?\s*)(?<quote>["'\`])(?<path>\.[^"'\`]*)\k<quote>`,
  "g",
);
const COMMENT = /^[ \t]*(?:\/\/.*|\/\*[^]*?\*\/)/gm;

function importsOf(source: string): Import[] {
  return [...source.replaceAll(COMMENT, "").matchAll(IMPORT)].map(({ groups }) => {
    return { path: groups?.["path"] ?? "", isType: groups?.["type"] !== undefined };
  });
}

const layerOf = (file: string): string => file.split("/")[0]?.replace(/\.ts$/, "") ?? "";

const isKnown = (file: string): boolean =>
  file.includes("/")
    ? [...LAYERS, ...Object.keys(PAGES)].includes(layerOf(file))
    : ENTRIES.some((entry) => file === `${entry}.ts`);

/** Undefined if `file` may have this import, else what is wrong. */
function objection(file: string, { path, isType }: Import): string | undefined {
  const from = layerOf(file);
  const to = layerOf(posix.join(posix.dirname(file), path));
  if (from === to || ENTRIES.includes(from)) return undefined;
  if (from === WORDS.from && to === WORDS.to) return undefined;
  const page = PAGES[from];
  const may = page ?? LAYERS.slice(LAYERS.indexOf(from));
  if (may.includes(to) || (page && isType && LAYERS.includes(to))) return undefined;
  return `${file} imports ${path}: ${from} may not import ${to}`;
}

const filesIn = (folder: "src" | "test"): string[] =>
  readdirSync(`${PROJECT}${folder}`, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file));

const read = (folder: "src" | "test", file: string): string =>
  readFileSync(`${PROJECT}${folder}/${file}`, "utf8");

describe("the project", () => {
  it("has source files, all in known places", () => {
    const files = filesIn("src");
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !isKnown(file))).toEqual([]);
  });

  it.each(filesIn("src"))("src/%s imports inward only", (file) => {
    const objections = importsOf(read("src", file)).map((found) => objection(file, found));
    expect(objections.filter((found) => found !== undefined)).toEqual([]);
  });

  it.each(["src", "test"] as const)("has no file too long in %s/", (folder) => {
    const lengths = filesIn(folder)
      .filter((file) => !file.startsWith(GENERATED))
      .map((file) => ({ file, lines: read(folder, file).split("\n").length - 1 }));
    expect(lengths.filter(({ lines }) => lines > LONGEST[folder])).toEqual([]);
  });
});

describe("the rule itself", () => {
  it.each<[string, Import[]]>([
    ['import { a } from "./a.ts";', [{ path: "./a.ts", isType: false }]],
    ['import type { A } from "../b/a.ts";', [{ path: "../b/a.ts", isType: true }]],
    ['import {\n  a,\n  type B,\n} from "./a.ts";', [{ path: "./a.ts", isType: false }]],
    ['import a, { b } from "./a.ts";', [{ path: "./a.ts", isType: false }]],
    ['import * as a from "./a.ts";', [{ path: "./a.ts", isType: false }]],
    ["import './a.ts';", [{ path: "./a.ts", isType: false }]],
    ["const a = await import(\n  `./a.ts`\n);", [{ path: "./a.ts", isType: false }]],
    ['export * from "./a.ts";', [{ path: "./a.ts", isType: false }]],
    [
      'export interface A { a: 1 }\nexport type { B } from "./b.ts";',
      [{ path: "./b.ts", isType: true }],
    ],
    ['import { a } from "hono";', []],
    ['// import { a } from "./a.ts";\n/** import "./b.ts" */', []],
  ])("reads %j", (source, imports) => {
    expect(importsOf(source)).toEqual(imports);
  });

  it.each<[string, string, boolean]>([
    ["worker.ts", "./rooms/room.ts", true],
    ["edge/app.ts", "../auth/jwt.ts", true],
    ["rooms/room.ts", "./log.ts", true],
    ["rooms/room.ts", "../dispatch/dispatcher.ts", false],
    ["model/user.ts", "../worker.ts", false],
    ["edge/app.ts", "../client/connect.ts", false],
    ["client/connect.ts", "../protocols/json-rpc.ts", true],
    ["client/connect.ts", "../hubs/chat.ts", false],
    ["client/connect.ts", "../react/use-hub.ts", false],
    ["react/use-hub.ts", "../client/index.ts", true],
    ["react/use-hub.ts", "../dispatch/hub.ts", false],
    ["dispatch/hub.ts", "../hub.ts", false],
    ["hubs/chat.ts", "../hub.ts", true],
    ["hubs/chat.ts", "../server.ts", false],
  ])("%s importing %s: %s", (file, path, allowed) => {
    expect(objection(file, { path, isType: false }) === undefined).toBe(allowed);
  });

  it.each(["client/connect.ts", "react/use-hub.ts"])(
    "lets %s import types of any layer",
    (file) => {
      expect(objection(file, { path: "../hubs/chat.ts", isType: true })).toBeUndefined();
    },
  );

  it.each(["utils/text.ts", "helpers.ts", "model.ts"])("does not know src/%s", (file) => {
    expect(isKnown(file)).toBe(false);
  });
});
