// The docs site, built as .github/workflows/docs.yml builds it, below a path: every link and anchor leads somewhere,
// the reference has all exports, and a browser shows pages that can be read, without a word on the console.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENTRIES } from "../../site/reference/api-pages.ts";
import { violationsOf } from "../e2e/accessible.ts";
import { launchBrowser } from "../support/browser.ts";
import { run } from "../support/installed.ts";
import { serveFiles, type FileServer } from "./docs-server.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Below the project, where packages are found; other tests read docs/ meanwhile. */
const CACHE = `${PROJECT}node_modules/.cache/`;
mkdirSync(CACHE, { recursive: true });
const home = mkdtempSync(`${CACHE}docs-site-`);
const built = join(home, "site");
/** As GitHub Pages serves a project: a link that begins with a slash alone leaves the site. */
const BASE = "/dormouse/";
const ORIGIN = "https://pages.example";
let server: FileServer;
let browser: Browser;

beforeAll(async () => {
  cpSync(`${PROJECT}docs`, join(home, "docs"), { recursive: true });
  cpSync(`${PROJECT}bench/results.svg`, join(home, "bench/results.svg"));
  const env = { DOCS_DIR: join(home, "docs"), DOCS_BASE: BASE, DOCS_ORIGIN: ORIGIN };
  const vitepress = `${PROJECT}node_modules/vitepress/bin/vitepress.js`;
  await run(process.execPath, [`${PROJECT}site/reference/write.ts`], { cwd: PROJECT, env });
  await run(process.execPath, [vitepress, "build", "site", "--outDir", built], {
    ...{ cwd: PROJECT, env, timeoutMs: 240_000 },
  });
  [server, browser] = await Promise.all([serveFiles(built, BASE), launchBrowser()]);
});
afterAll(async () => {
  await Promise.all([server?.[Symbol.asyncDispose](), browser?.close()]);
  rmSync(home, { recursive: true, force: true });
});

const filesIn = (ending: string): string[] =>
  readdirSync(built, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(ending));
const text = (file: string): string => readFileSync(join(built, file), "utf8");

describe("the files", () => {
  it("have no link and no anchor that leads nowhere", () => {
    const pages = new Map(filesIn(".html").map((file) => [file, text(file)]));
    const ids = new Map([...pages].map(([file, html]) => [file, idsIn(html)]));
    const broken = [...pages].flatMap(([file, html]) =>
      linksIn(html)
        .map((href) => targetOf(file, href))
        .filter(({ page, anchor }) => !exists(page) || !has(ids.get(page), anchor))
        .map(({ page, anchor }) => `${file} → ${page}#${anchor}`),
    );
    expect(pages.size).toBeGreaterThan(200);
    expect(broken).toEqual([]);
  });

  it("have no table with a column that has no name", () => {
    const nameless = filesIn(".html").filter((file) => /<th[^>]*><\/th>/.test(text(file)));
    expect(nameless).toEqual([]);
  });

  it("have a page for each entry of the package, and for its functions", () => {
    const { exports } = JSON.parse(readFileSync(`${PROJECT}package.json`, "utf8")) as Exports;
    const names = Object.keys(exports).map((name) => name.slice(2));
    expect(Object.keys(ENTRIES).toSorted()).toEqual(
      names.filter((name) => !["grpc", "package.json"].includes(name)).toSorted(),
    );
    for (const name of Object.keys(ENTRIES))
      expect(existsSync(join(built, `api/${name}/index.html`))).toBe(true);
    expect(text("api/hub/variables/method.html")).toContain("Standard Schema");
    expect(text("api/client/functions/connect.html")).toContain("ConnectOptions");
  });

  it("have every operation of REST, every error, every close code", () => {
    expect(text("api/rest/rooms.html")).toContain("/api/hubs/{hub}/rooms/{room}/:publish");
    expect(text("api/errors.html")).toContain("token_wrong_issuer");
    expect(text("api/close-codes.html")).toContain("4512");
  });

  it("have an index for language models, and each guide as Markdown", () => {
    expect(text("llms.txt")).toContain(`(${ORIGIN}${BASE}first-app.md)`);
    expect(text("first-app.md")).toContain("npm create dormouse-hubs@latest");
    expect(text("llms-full.txt")).toContain("# Rooms");
  });
});

interface Exports {
  readonly exports: Readonly<Record<string, unknown>>;
}

const idsIn = (html: string): ReadonlySet<string> =>
  new Set([...html.matchAll(/ id="(?<id>[^"]+)"/g)].map(({ groups }) => groups!["id"]!));

/** Of pages, and of what a page loads. */
const linksIn = (html: string): string[] =>
  [...html.matchAll(/<(?:a|link|script|img) [^>]*?(?:href|src)="(?<href>[^"]+)"/g)]
    .map(({ groups }) => groups!["href"]!.replaceAll("&amp;", "&"))
    .filter((href) => !/^(?:[a-z]+:)?\/\/|^(?:mailto|data):/.test(href));

function targetOf(file: string, href: string): { page: string; anchor: string } {
  const [path = "", anchor = ""] = decodeURI(href).split("#");
  const address = path === "" ? BASE + file : posix.resolve(posix.dirname(BASE + file), path);
  const page = posix.join(posix.relative(BASE, address), path.endsWith("/") ? "index.html" : "");
  return { page, anchor };
}

/** Nothing outside of the site does. */
const exists = (page: string): boolean => !page.startsWith("..") && existsSync(join(built, page));

const has = (ids: ReadonlySet<string> | undefined, anchor: string): boolean =>
  anchor === "" || ids?.has(anchor) === true;

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const PAGES = [
  ...["/", "/first-app.html", "/wire.html", "/costs.html", "/troubleshooting.html"],
  ...["/api/hub/interfaces/HubOptions.html", "/api/rest/rooms.html"],
];

/** One for each look: its pages share a renderer, and what they have loaded. */
const contexts = new Map<string, Promise<BrowserContext>>();

function contextOf({ size = "desktop", dark = false }: Look): Promise<BrowserContext> {
  const look = `${size} ${dark}`;
  const colorScheme = dark ? "dark" : "light";
  const options = { viewport: SIZES[size], colorScheme, reducedMotion: "reduce" } as const;
  const context = contexts.get(look) ?? browser.newContext(options);
  contexts.set(look, context);
  return context;
}

/** Opens a page; `heard` is what the console and failed requests say. */
async function open(path: string, look: Look = {}) {
  const page = await (await contextOf(look)).newPage();
  const heard: string[] = [];
  page.on("console", (message) => heard.push(message.text()));
  page.on("pageerror", ({ message }) => heard.push(message));
  page.on("response", (response) => {
    if (!response.ok()) heard.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(server.origin + posix.join(BASE, path), { waitUntil: "networkidle" });
  // The theme takes a page over after it has loaded, and may not have drawn its content yet.
  await page.waitForFunction(`"__vue_app__" in document.querySelector("#app")
    && document.querySelector("main") !== null && document.querySelector("h1") !== null`);
  return { page, heard, [Symbol.asyncDispose]: () => page.close() };
}
interface Look {
  readonly size?: keyof typeof SIZES;
  readonly dark?: boolean;
}

describe.concurrent.each([
  { size: "desktop", dark: false, pages: PAGES },
  { size: "desktop", dark: true, pages: PAGES.slice(0, 2) },
  { size: "phone", dark: true, pages: PAGES },
] as const)("in a browser ($size, dark: $dark)", ({ pages, ...look }) => {
  it.for(pages)("%s can be read, and says nothing on the console", async (path, { expect }) => {
    await using opened = await open(path, look);
    expect(await violationsOf(opened.page)).toEqual([]);
    const [width, shown] = (await opened.page.evaluate(
      "[document.documentElement.scrollWidth, innerWidth]",
    )) as [number, number];
    expect(width).toBeLessThanOrEqual(shown);
    expect(opened.heard).toEqual([]);
  });
});

describe("by keyboard", () => {
  it("skips to the content, and moves through the page's links", async () => {
    await using opened = await open("/rooms.html");
    const focused = () => opened.page.evaluate<string>("document.activeElement.textContent.trim()");
    await opened.page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to content");
    await opened.page.keyboard.press("Enter");
    // The theme moves the focus in a frame after the link was followed.
    await opened.page.waitForFunction("document.activeElement.id === 'VPContent'");
    await opened.page.keyboard.press("Tab");
    const inside = "document.querySelector('#VPContent').contains(document.activeElement)";
    expect(await opened.page.evaluate(inside)).toBe(true);
  });

  it("finds a page by a search, and opens it", async () => {
    await using opened = await open("/");
    await opened.page.keyboard.press("Control+k");
    await opened.page.getByRole("searchbox").fill("rememberGroups");
    await opened.page.locator(".VPLocalSearchBox .result").first().waitFor();
    await opened.page.keyboard.press("Enter");
    await opened.page.waitForURL(/signalr|hubs|limits|HubOptions/);
    expect(opened.heard).toEqual([]);
  });
});
