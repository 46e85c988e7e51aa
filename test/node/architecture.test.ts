// What the arrows of .dependency-cruiser.mjs cannot say: where files stand, how they are named and how long they are
// (CONTRIBUTING.md#sizes), and what ends up in the bundles of pages.

import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Folders of src/, and the files at its top. */
const PLACES =
  /^(?:(?:edge|setup|cli|auth|hubs|dispatch|rooms|webhooks|protocols|model|client|state|components|react|vue|svelte)\/|(?:worker|server|grpc-server|hub)\.ts$)/;
/** Folders whose files belong into their subfolders. */
const DIVIDED = /^(?:rooms\/[^/]+$|dispatch\/(?!dispatcher\.ts$)[^/]+$|edge\/(?!app\.ts$)[^/]+$)/;
const LONGEST = { src: 250, test: 400 };
/** Written by generators, and read by nobody from end to end. */
const GENERATED = "protocols/proto/";
/** What a page's bundle may hold of src/. */
const OF_PAGES = /^src\/(?:client|state|components|react|vue|svelte|protocols|model)\//;

const filesIn = (folder: "src" | "test"): string[] =>
  readdirSync(`${PROJECT}${folder}`, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file));

const written = (folder: "src" | "test"): string[] =>
  filesIn(folder).filter((file) => !file.startsWith(GENERATED));

const textOf = (folder: "src" | "test", file: string): string =>
  readFileSync(`${PROJECT}${folder}/${file}`, "utf8");

const linesOf = (folder: "src" | "test", file: string): number =>
  textOf(folder, file).split("\n").length - 1;

/** Evaluated anew for each test file, by vitest.config.ts. */
const SETUP_FILES = ["support/own-storage.ts", "support/own-context.ts", "support/own-globals.ts"];

/** Values that stand more than once. */
const repeated = (values: readonly string[]): string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

/** Files of ours in the bundle of an entry. */
async function bundled(entry: string): Promise<string[]> {
  const { metafile } = await build({
    ...{ absWorkingDir: PROJECT, entryPoints: [entry], bundle: true, write: false },
    ...{ metafile: true, format: "esm", platform: "browser", external: ["react", "vue"] },
  });
  return Object.keys(metafile.inputs).filter((file) => file.startsWith("src/"));
}

describe("the project", () => {
  it("has source files, all in known places", () => {
    const files = filesIn("src");
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !PLACES.test(file) || DIVIDED.test(file))).toEqual([]);
  });

  it("has no base name twice in src/, but index.ts", () => {
    const names = written("src").map((file) => basename(file));
    expect(repeated(names).filter((name) => name !== "index.ts")).toEqual([]);
  });

  it.each(["src", "test"] as const)("has no file too long in %s/", (folder) => {
    const lengths = written(folder).map((file) => ({ file, lines: linesOf(folder, file) }));
    expect(lengths.filter(({ lines }) => lines > LONGEST[folder])).toEqual([]);
  });

  // Files that share an engine share modules: what one has evaluated has no hook in the next.
  it("has hooks at the top of test files alone, and where vitest evaluates a file each time", () => {
    const shared = filesIn("test").filter((file) => !/\.test\.tsx?$/.test(file));
    const hook = /^(?:before|after)(?:Each|All)\(/m;
    expect(shared.filter((file) => hook.test(textOf("test", file))).toSorted()).toEqual(
      SETUP_FILES.toSorted(),
    );
  });

  it.each([
    "src/client/index.ts",
    "src/client/backend/index.ts",
    "src/react/index.ts",
    "src/vue/index.ts",
    "src/svelte/index.ts",
    "src/state/index.ts",
  ])("takes no server code into what bundles %s", async (entry) => {
    const files = await bundled(entry);
    expect(files).toContain(entry);
    expect(files.filter((file) => !OF_PAGES.test(file))).toEqual([]);
  });
});

describe("the rules themselves", () => {
  it.each(["utils/text.ts", "helpers.ts", "model.ts", "rooms/room.ts", "edge/helpers.ts"])(
    "know no src/%s",
    (file) => {
      expect(PLACES.test(file) && !DIVIDED.test(file)).toBe(false);
    },
  );

  it("see a name that stands twice", () => {
    expect(repeated(["a.ts", "b.ts", "a.ts"])).toEqual(["a.ts"]);
  });

  it("see server code in a bundle", async () => {
    const files = await bundled("src/model/topic.ts");
    expect([files.every((file) => OF_PAGES.test(file)), OF_PAGES.test("src/rooms/x.ts")]).toEqual([
      true,
      false,
    ]);
  });
});
