// Our client on every platform that is here, against the real `wrangler dev`: a connection, a call, and a stream of
// events. Node before 22 is the one in PATH; Deno and Bun run where they are in PATH, or named by DENO and BUN.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Page } from "../pages/platforms.ts";
import type { Tried } from "../pages/try-client.ts";
import { launchBrowser } from "../support/browser.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { startSite, type Site } from "./site.ts";

const PAGE = join(import.meta.dirname, "../pages/platforms.ts");
const LIKE_REACT_NATIVE = join(import.meta.dirname, "../pages/like-react-native.js");
const PROCESS = join(import.meta.dirname, "platform-process.ts");
const WS = import.meta.resolve("ws");
const folder = mkdtempSync(join(tmpdir(), "dormouse-platforms-"));
const program = join(folder, "program.mjs");

let endpoint: OwnEndpoint;
let browser: Browser;
let site: Site;
beforeAll(async () => {
  site = await startSite(PAGE);
  [endpoint, browser] = await Promise.all([
    startEngine({ vars: { ALLOWED_ORIGINS: site.origin } }),
    launchBrowser(),
    build({ entryPoints: [PROCESS], outfile: program, bundle: true, format: "esm" }),
  ]);
});
afterAll(async () => {
  site[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

let rooms = 0;
const newTask = async () => ({
  ...{ hub: `${endpoint.url}/hubs/chat`, room: `platform-${++rooms}` },
  token: await endpoint.token("alice"),
});

const WORKS: Tried = { heard: ["hello"], read: ["hello"] };

/** Starts `command` with the program, and gives what it has seen. */
async function run(command: readonly string[], ...more: readonly string[]): Promise<Tried> {
  const [file = "", ...flags] = command;
  const { hub, room, token } = await newTask();
  const args = [...flags, program, hub, room, token, ...more];
  const { stdout, stderr } = await promisify(execFile)(file, args, { timeout: 20_000 });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Tried;
}

/** The version of a command, or undefined where there is none. */
const versionOf = (file: string): string | undefined =>
  spawnSync(file, ["--version"], { encoding: "utf8", timeout: 20_000 }).stdout?.match(
    /\d+\.\S+/,
  )?.[0];

/** In PATH, apart from the project's own. */
const oldNode = process.env["PATH"]!.split(delimiter)
  .map((place) => join(place, "node"))
  .find((file) => Number.parseInt(versionOf(file) ?? "", 10) < 22);
const deno = process.env["DENO"] ?? "deno";
const bun = process.env["BUN"] ?? "bun";

describe("Node", () => {
  it("has all that the client needs", async () => {
    expect(await run([process.execPath])).toEqual(WORKS);
  });

  it.each([
    ["without WebSocket", [process.execPath, "--no-experimental-websocket"]],
    ...(oldNode ? [[versionOf(oldNode)!, [oldNode]] as const] : []),
  ] as const)("%s is told the remedy at once, and the remedy works", async (_which, node) => {
    const { error } = await run(node);
    expect(error).toMatch(/^unsupported: No WebSocket here: use Node 22 or later, or that of `ws`/);
    expect(await run(node, WS)).toEqual(WORKS);
  });
});

describe("Deno and Bun", () => {
  it.skipIf(!versionOf(deno))("Deno has all that the client needs", async () => {
    expect(await run([deno, "run", "--quiet", "--allow-net", "--allow-env"])).toEqual(WORKS);
  });

  it.skipIf(!versionOf(bun))("Bun has all that the client needs", async () => {
    expect(await run([bun, "run"])).toEqual(WORKS);
  });
});

async function openPage(): Promise<Tab> {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  return tab;
}

/** What the page complained of comes with it: errors that nobody caught are a failure, too. */
async function tryIn(tab: Tab, place: Parameters<Page["tryIn"]>[0]) {
  const complaints: string[] = [];
  tab.on("pageerror", (error) => complaints.push(error.message));
  await tab.goto(site.origin);
  const tried = await tab.evaluate(
    ([where, task]) => (globalThis as unknown as Page).tryIn(where, task),
    [place, await newTask()] as const,
  );
  return { tried, complaints };
}

describe("Chromium", () => {
  it.each(["page", "worker", "service worker"] as const)(
    "in a %s has all that the client needs",
    async (place) => {
      await using tab = await openPage();
      expect(await tryIn(tab, place)).toEqual({ tried: WORKS, complaints: [] });
    },
  );

  it("as poor as React Native has all that the client needs", async () => {
    await using tab = await openPage();
    await tab.addInitScript({ path: LIKE_REACT_NATIVE });
    expect(await tryIn(tab, "page")).toEqual({ tried: WORKS, complaints: [] });
  });
});
