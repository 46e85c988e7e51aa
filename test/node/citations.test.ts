// Every citation leads somewhere: a design page or id that a comment or a test title names has its heading, and a link
// between Markdown pages has its target. What counts as a citation is CITATION, below.

import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const DESIGN = "docs/design";

/** Trees and files that may cite. */
const PLACES = [
  ...[
    "src",
    "test",
    "bench",
    "demo",
    "scripts",
    "proto",
    "docs",
    "examples",
    "packages",
    "site",
    ".ci",
  ],
  ...["wrangler.toml", "vitest.config.ts", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  "SECURITY.md",
];
const TEXT = /(?:\.(?:[cm]?[jt]sx?|cs|proto|toml|md)|\/run)$/;
/** Generated or built (docs/api by the docs site), and this file, whose rows cite what does not exist. */
const LEFT_OUT =
  /^docs\/api\/|^site\/\.vitepress\/(?:cache|dist|\.temp)\/|^src\/protocols\/proto\/|\/(?:bin|obj)\/|^test\/node\/citations\.test\.ts$/;
/** Pages for readers of the code: their lines are short, and the files that they name exist. */
const GUIDES = ["CONTRIBUTING.md", "docs/architecture.md"];
const LONGEST = { lines: 250, line: 120 };
/** Their tables are printed by the bench. */
const FIGURES = new Set(["docs/costs.md", "docs/performance.md"]);

/**
 * In this order: a section of a public specification, which is no citation of ours; a page from the project's root,
 * with its headings; an id in brackets; an id that begins a comment or a title; a section, or a name in capitals, of a
 * document elsewhere.
 */
const CITATION = new RegExp(
  [
    String.raw`(?:RFC \d+|JSON-RPC 2\.0|HTML|Fetch|CloudEvents 1\.0(?: JSON)?)(?:,? §\d[\d.]*)+`,
    String.raw`(?<![\w/-])(?<page>(?:docs/[\w./-]+|[A-Z]+)\.md)(?<anchors>(?:(?:, )?#[\w-]+)*)`,
    String.raw`\[(?<id>[A-Z]{1,2}\d{1,2})\]`,
    String.raw`(?:\/\/ |["'\`])(?<first>[RS]\d{1,2})(?=[:,] )`,
    String.raw`(?<elsewhere>§[\d.]*|\b(?:SIGNALR|PLATFORM|CONVENTIONS|RELIABILITY|PERFORMANCE|FIDELITY|DESIGN)\b)`,
  ].join("|"),
  "g",
);

/** Citations in one text, each as it is looked up: `page`, `page#anchor`, `[ID]`, or `?` and what names no page. */
function citationsIn(text: string): string[] {
  return [...text.matchAll(CITATION)].flatMap(({ groups = {} }) => {
    const { page, anchors, id, first, elsewhere } = groups;
    if (page !== undefined) return withAnchors(page, anchors ?? "");
    if (elsewhere !== undefined) return [`?${elsewhere}`];
    const bare = id ?? first;
    return bare === undefined ? [] : [`[${bare}]`];
  });
}

const withAnchors = (page: string, anchors: string): string[] =>
  anchors === "" ? [page] : anchors.split(/, |(?=#)/).map((anchor) => `${page}${anchor}`);

/** Links of a Markdown page to others, and within it, as paths from the project's root. */
function linksIn(file: string, text: string): string[] {
  return [...text.matchAll(/\]\((?<to>[^)\s]+)\)/g)]
    .map(({ groups }) => groups?.["to"] ?? "")
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => (to.startsWith("#") ? file + to : posix.join(posix.dirname(file), to)));
}

/** In this order: a file of code, maybe with a name in it; a path from the project's root; a folder. No patterns. */
const NAMED = new RegExp(
  [
    String.raw`(?<![\w./*@#-])(?:(?:[\w.-]+\/)*[\w.-]*\w\.(?:ts|mjs|proto)(?:#\w+)?`,
    String.raw`(?:src|test|bench|demo|scripts|docs|proto)\/[\w./-]*\w`,
    String.raw`(?:[\w-]+\/)+)(?![\w*/-])`,
  ].join("|"),
  "g",
);

/** Files and folders that a guide names, as they stand there; `publisher.ts#append` is a name in a file. */
const namedIn = (text: string): string[] => text.match(NAMED) ?? [];

/** As GitHub makes them; a heading that stands twice has a number the second time. */
function anchorsIn(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const heading of headingsIn(text)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

const headingsIn = (text: string): string[] =>
  [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm)].map(
    ([, title]) => title!,
  );

const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const idsIn = (text: string): string[] =>
  headingsIn(text).filter((title) => /^[A-Z]{1,2}\d{1,2}$/.test(title));

const read = (file: string): string => readFileSync(PROJECT + file, "utf8");

/** Without the sources of facts, which name files of other projects. */
const citing = (file: string): string =>
  file.startsWith(`${DESIGN}/`) ? read(file).replaceAll(/^Source: (?:.+\n)+/gm, "") : read(file);

const filesIn = (place: string): string[] =>
  statSync(PROJECT + place).isFile()
    ? [place]
    : readdirSync(PROJECT + place, { recursive: true, encoding: "utf8" })
        .map((file) => `${place}/${file.replaceAll("\\", "/")}`)
        .filter((file) => TEXT.test(file) && !LEFT_OUT.test(file))
        .filter((file) => statSync(PROJECT + file).isFile());

const files = PLACES.flatMap(filesIn);
const pages = files.filter((file) => file.endsWith(".md"));
const designPages = pages.filter((file) => file.startsWith(`${DESIGN}/`));
const ids: ReadonlySet<string> = new Set(designPages.flatMap((page) => idsIn(read(page))));

/** Whether a citation or a link leads somewhere. */
function resolves(citation: string): boolean {
  if (citation.startsWith("?")) return false;
  if (citation.startsWith("[")) return ids.has(citation.slice(1, -1));
  const [page = "", anchor] = citation.split("#");
  if (!existsSync(PROJECT + page)) return false;
  return anchor === undefined || anchorsIn(read(page)).has(anchor);
}

/**
 * Whether a file or folder exists: from the project's root, below src/, or by a base name; and what `#` names in it.
 */
function exists(named: string): boolean {
  const [path = "", name] = named.split("#");
  const known = path.includes("/") ? [path, `src/${path}`] : [path, ...filesNamed(path)];
  const found = known.filter((file) => existsSync(PROJECT + file));
  return found.some((file) => name === undefined || new RegExp(`\\b${name}\\b`).test(read(file)));
}

const filesNamed = (base: string): string[] =>
  files.filter((file) => posix.basename(file) === base);

const unresolved = (of: (file: string) => string[]) => (file: string) =>
  of(file)
    .filter((citation) => !resolves(citation))
    .map((citation) => `${file}: ${citation}`);

describe("the project", () => {
  it("cites design pages and ids that exist", () => {
    const cited = files.flatMap((file) => citationsIn(citing(file)));
    expect(cited.length).toBeGreaterThan(100);
    expect(files.flatMap(unresolved((file) => citationsIn(citing(file))))).toEqual([]);
  });

  it("has no Markdown link that leads nowhere", () => {
    expect(pages.flatMap(unresolved((page) => linksIn(page, read(page))))).toEqual([]);
  });

  it.each(GUIDES)("%s names files that exist, and what is in them", (guide) => {
    const named = namedIn(read(guide));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((one) => !exists(one))).toEqual([]);
  });

  it("gives each id once", () => {
    const given = designPages.flatMap((page) => idsIn(read(page)));
    expect(given.filter((id, at) => given.indexOf(id) < at)).toEqual([]);
  });

  it("lists each design page in the index", () => {
    const listed = new Set(linksIn(`${DESIGN}/README.md`, read(`${DESIGN}/README.md`)));
    const others = designPages.filter((page) => page !== `${DESIGN}/README.md`);
    expect(others.filter((page) => !listed.has(page))).toEqual([]);
  });

  it.each(designPages)("%s gives the source of each fact", (page) => {
    const facts = read(page).split(/^### /m).slice(1);
    const bare = facts.filter((fact) => !/^Source: /m.test(fact));
    expect(bare.map((fact) => fact.split("\n", 1)[0])).toEqual([]);
  });

  it.each(pages.filter((page) => !/^(?:test|bench)\//.test(page)))(
    "%s has no line that is too wide, but for rows of figures",
    (page) => {
      const lines = read(page).split("\n");
      const isFigures = (line: string) => FIGURES.has(page) && line.startsWith("|");
      expect(lines.filter((line) => line.length > LONGEST.line && !isFigures(line))).toEqual([]);
    },
  );

  it("has a README of one page", () => {
    expect(read("README.md").split("\n").length - 1).toBeLessThanOrEqual(150);
  });

  it.each([...designPages, ...GUIDES])("%s is no page too long", (page) => {
    expect(read(page).split("\n").length - 1).toBeLessThanOrEqual(LONGEST.lines);
  });
});

describe("the collector", () => {
  it.each<[string, string[]]>([
    ["// As clients do (docs/design/signalr-wire.md#hs1).", ["docs/design/signalr-wire.md#hs1"]],
    ["docs/design/a.md#ng2, #tp2: its", ["docs/design/a.md#ng2", "docs/design/a.md#tp2"]],
    ["# (docs/webhooks.md).", ["docs/webhooks.md"]],
    [
      "CONTRIBUTING.md#sizes, CONTRIBUTING.md#layers",
      ["CONTRIBUTING.md#sizes", "CONTRIBUTING.md#layers"],
    ],
    ['it("[R1] loses nothing"', ["[R1]"]],
    ['it("[R3][R5] are heard"', ["[R3]", "[R5]"]],
    ["// [S1] [S2] Hostile frames", ["[S1]", "[S2]"]],
    ['describe("S8: tenants"', ["[S8]"]],
    ["// S4, with a shared secret", ["[S4]"]],
    ["(SIGNALR §3.1)", ["?SIGNALR", "?§3.1"]],
    ["The sizes of STYLE.md, PLATFORM.md §2", ["STYLE.md", "PLATFORM.md", "?§2"]],
    ["/** RFC 7518 §3.2: a key */", []],
    ["RFC 6750 §2, DESIGN §2", ["?DESIGN", "?§2"]],
    ["JSON-RPC 2.0 §4.1 forbids an answer", []],
    ["Server-Sent Events (WHATWG HTML §9.2)", []],
    ["CORS (Fetch §3.3)", []],
    ["CloudEvents 1.0 §3, CloudEvents 1.0 JSON §4", []],
    ["JSON-RPC 2.0, as its §4 permits", ["?§4"]],
    ['const room = "orders/order:R3";', []],
    ["rows[at] and LIMITS.depth, order:R6", []],
  ])("reads %j", (text, citations) => {
    expect(citationsIn(text)).toEqual(citations);
  });

  it.each<[string, string[]]>([
    ["[a](platform.md#pl3)", ["docs/design/platform.md#pl3"]],
    ["[a](../signalr.md)", ["docs/signalr.md"]],
    ["[a](#pe3)", ["docs/design/a.md#pe3"]],
    ["[a](https://example.com/b.md)", []],
  ])("reads the links of %j", (text, links) => {
    expect(linksIn("docs/design/a.md", text)).toEqual(links);
  });

  it.each<[string, string[]]>([
    ["in `edge/app.ts` and `publisher.ts#append`", ["edge/app.ts", "publisher.ts#append"]],
    ["run by `.dependency-cruiser.mjs`", [".dependency-cruiser.mjs"]],
    ["(`hubs/`, `client/scope/`)", ["hubs/", "client/scope/"]],
    ["npx vitest run test/model/x.test.ts # 5 s", ["test/model/x.test.ts"]],
    ["`test/e2e`, [PL1](docs/design/platform.md#pl1)", ["test/e2e", "docs/design/platform.md"]],
    ["`test/**/*.extra.test.ts` and `@azure/web-pubsub`", []],
    ["tests/second, HTTP/1.1, http://127.0.0.1:8787", []],
  ])("reads the files of %j", (text, named) => {
    expect(namedIn(text)).toEqual(named);
  });

  it.each([
    ["edge/app.ts", true],
    ["src/edge/app.ts#endpoint", true],
    ["fan-out.ts#fanOut", true],
    [".dependency-cruiser.mjs", true],
    ["hubs/", true],
    ["test/e2e", true],
    ["edge/no-such-file.ts", false],
    ["no-such-file.ts", false],
    ["fan-out.ts#noSuchName", false],
    ["helpers/", false],
  ])("finds %s: %s", (named, isThere) => {
    expect(exists(named)).toBe(isThere);
  });

  it("makes anchors as GitHub does", () => {
    const text =
      "# The I/O context of a test\n\n## HS1\n\n## `npm run dev`\n\n## HS1\n\n```\n# no heading\n```\n";
    expect([...anchorsIn(text)]).toEqual([
      "the-io-context-of-a-test",
      "hs1",
      "npm-run-dev",
      "hs1-1",
    ]);
  });

  it.each([
    "[R99]",
    "?§3.1",
    "STYLE.md",
    "docs/design/none.md",
    "docs/design/platform.md#pl99",
    "README.md#no-such-heading",
  ])("resolves %s to nothing", (citation) => {
    expect(resolves(citation)).toBe(false);
  });

  it.each(["[R1]", "docs/design/platform.md#pl3", "README.md", "docs/settings.md#claims"])(
    "resolves %s",
    (citation) => {
      expect(resolves(citation)).toBe(true);
    },
  );
});
