// Every block of TypeScript in the guides compiles, as an application's code would. Blocks that name a file which tests
// run are compared with it in page-code.test.ts.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readConfiguration } from "../../src/cli/wrangler-package.ts";
import { transform } from "esbuild";
import { compile as compileSvelte } from "svelte/compiler";
import { beforeAll, describe, expect, it } from "vitest";
import { isOfNode, sourcesIn, tsconfigFor, type Source } from "./docs-sources.ts";
import { run } from "../support/installed.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
/** Below the project, so that packages are found. */
const FOLDER = `${PROJECT}node_modules/.cache/docs-code/`;

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "examples/README.md"],
  ...readdirSync(`${PROJECT}docs`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.startsWith("api/"))
    .map((file) => `docs/${file}`),
];
const folderOf = (page: string): string => page.replace(".md", "").replace("docs/", "");
/** What blocks import and use that stands for the reader's own. */
const FILES = `${PROJECT}test/node/docs-files`;
const FOLDERS = [...PAGES.map((page) => FOLDER + folderOf(page)), FILES];

const PLATFORMS = {
  workers: {
    types: ["@cloudflare/workers-types"],
    names: ["names.d.ts", "names-of-workers.d.ts"],
  },
  node: { types: ["node"], names: ["names.d.ts"] },
  /** A client's project, which has a page's types and imports those of hubs. */
  pages: {
    types: ["node"],
    names: ["names.d.ts"],
    lib: ["es2024", "esnext.disposable", "esnext.asynciterable", "dom", "dom.iterable"],
  },
};

const sources = PAGES.flatMap((page) =>
  sourcesIn(folderOf(page), readFileSync(PROJECT + page, "utf8")),
);

function write(path: string, text: string): void {
  mkdirSync(dirname(FOLDER + path), { recursive: true });
  writeFileSync(FOLDER + path, text);
}

/** A project of its own for each of both platforms; gives what the compiler says. */
async function compile(platform: keyof typeof PLATFORMS, files: readonly Source[]) {
  const { names, ...options } = PLATFORMS[platform];
  const { compilerOptions, ...config } = tsconfigFor(PROJECT, FOLDERS);
  const tsconfig = {
    ...{ ...config, compilerOptions: { ...compilerOptions, ...options } },
    files: [...names.map((name) => `${FILES}/${name}`), ...files.map(({ path }) => path)],
    include: [],
  };
  write(`${platform}.json`, JSON.stringify(tsconfig));
  const tsc = `${PROJECT}node_modules/typescript/bin/tsc`;
  return run(process.execPath, [tsc, "-p", `${FOLDER}${platform}.json`], { cwd: FOLDER }).catch(
    (error: Error) => error.message,
  );
}

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const { path, text } of sources) write(path, text);
});

it("compiles every block of workers and pages", async () => {
  const files = sources.filter((source) => !isOfNode(source));
  expect(files.length).toBeGreaterThan(50);
  expect(await compile("workers", files)).toBe("");
});

/** Entries and bindings have types of the platform. */
const OF_WORKERS = /"dormouse-hubs\/server|"cloudflare:|\benv\b|\bDB\b/;

it("compiles hubs as a page does that imports their types", async () => {
  const files = sources.filter(
    ({ text }) => /^import .*"dormouse-hubs\/hub"/m.test(text) && !OF_WORKERS.test(text),
  );
  expect(files.length).toBeGreaterThan(10);
  expect(await compile("pages", files)).toBe("");
});

it("compiles every block of services, in Node", async () => {
  const files = sources.filter(isOfNode);
  expect(files.length).toBeGreaterThan(2);
  expect(await compile("node", files)).toBe("");
});

/** Blocks of other languages than TypeScript, by page and line. */
const blocksIn = (language: string): (readonly [where: string, code: string])[] =>
  PAGES.flatMap((page) => {
    const text = readFileSync(PROJECT + page, "utf8");
    const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
    return [...text.matchAll(fence)].map(({ index, 1: code = "" }) => {
      return [`${page}:${text.slice(0, index).split("\n").length}`, code] as const;
    });
  });

it("reads every block of JavaScript, most of which is what readers have today", async () => {
  const blocks = blocksIn("js");
  expect(blocks.length).toBeGreaterThan(5);
  const read = await Promise.allSettled(
    blocks.map(async ([, code]) => transform(code, { loader: "js" })),
  );
  expect(blocks.filter((_, at) => read[at]!.status === "rejected")).toEqual([]);
});

it("compiles every block of Svelte", () => {
  const blocks = blocksIn("svelte");
  expect(blocks.length).toBeGreaterThan(0);
  const warnings = blocks.map(([where, code]) => [
    where,
    compileSvelte(code, { filename: `${where}.svelte` }).warnings,
  ]);
  expect(warnings).toEqual(blocks.map(([where]) => [where, []]));
});

describe("a block of wrangler.toml", () => {
  const blocks = blocksIn("toml");
  const template = readFileSync(
    `${PROJECT}packages/create-dormouse-hubs/templates/common/wrangler.toml`,
    "utf8",
  );

  it.each(blocks.filter(([, code]) => /^\[(?:\[|exports\.|env\.)/.test(code)))(
    "of %s stands behind all that a template's file has, and wrangler warns of nothing",
    async (where, code) => {
      const warnings: string[] = [];
      const path = `toml/${where.replaceAll(/\W/g, "-")}.toml`;
      write(path, `${template}\n${code}`);
      await readConfiguration(PROJECT, { config: FOLDER + path }, (text) => warnings.push(text));
      expect(warnings).toEqual([]);
    },
  );

  it("says where it stands, unless it begins with its table", () => {
    const isPlaced = ([, code]: (typeof blocks)[number]) =>
      /^(?:\[|# (?:above the first \[table\]|in the \[\w+\] that|wrangler\.toml))/.test(code);
    expect(blocks.filter((block) => !isPlaced(block))).toEqual([]);
  });
});
