// Clients that sleep, or are silent: a process and a page that are stopped for longer than their timeouts, and a
// listener whose token is revoked before its first message.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { WebSocket as WS } from "ws";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import { connect, type State } from "../../src/client/index.ts";
import type { Page, Slept } from "../pages/sleeper.ts";
import { launchBrowser } from "../support/browser.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import type { QuietHub } from "../support/waking-hub.ts";
import { startSite, type Site } from "./site.ts";

const KEY = "a key of the tests with 32 bytes or more";
const folder = mkdtempSync(join(tmpdir(), "dormouse-waking-"));
const program = join(folder, "program.mjs");

let endpoint: OwnEndpoint;
let browser: Browser;
let site: Site;
beforeAll(async () => {
  site = await startSite(join(import.meta.dirname, "../pages/sleeper.ts"));
  const vars = { ACCESS_KEYS: KEY, ALLOWED_ORIGINS: site.origin };
  [endpoint, browser] = await Promise.all([
    startEngine({ worker: "waking-worker.ts", vars }),
    launchBrowser(),
    build({
      entryPoints: [join(import.meta.dirname, "waking-process.ts")],
      ...{ outfile: program, bundle: true, format: "esm", platform: "node" },
    }),
  ]);
});
afterAll(async () => {
  site[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

/** A call times out after 2 s and was answered after 1 s; the heartbeat gives up after 2 s of silence. */
const SLEEP_MS = 4_000;
const AWAKE: Slept = { answer: "answered", states: [] };

describe("a process that was stopped", () => {
  it("reads the answers that wait, and neither times out nor reconnects", async () => {
    const hub = `${endpoint.url}/hubs/waking`;
    const sleeper = spawn(process.execPath, [program, hub, await endpoint.token("alice")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void sleeper.kill("SIGKILL"));
    const lines = createInterface(sleeper.stdout)[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: "stopping" });
    await wait(SLEEP_MS);
    sleeper.kill("SIGCONT");
    const { value } = await lines.next();
    expect(JSON.parse(value!)).toEqual(AWAKE);
    await once(sleeper, "exit");
  });
});

/** Ids of the processes that run a browser's pages. What comes for a page waits in another process. */
async function renderersOf(one: Browser): Promise<readonly number[]> {
  const session = await one.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo.flatMap(({ type, id }) => (type === "renderer" ? [id] : []));
}

describe("a page that was stopped", () => {
  it("reads the answers that wait, and neither times out nor reconnects", async () => {
    await using tab = await browser.newPage();
    await tab.goto(site.origin);
    const asked = tab.waitForEvent("console", (message) => message.text() === "asked");
    const slept = tab.evaluate(
      ([hub, token]) =>
        (globalThis as unknown as Page).sleepInCall(hub, token, () => console.log("asked")),
      [`${endpoint.url}/hubs/waking`, await endpoint.token("bea")] as const,
    );
    await asked;
    const renderers = await renderersOf(browser);
    for (const pid of renderers) process.kill(pid, "SIGSTOP");
    await wait(SLEEP_MS);
    for (const pid of renderers) process.kill(pid, "SIGCONT");
    expect(await slept).toEqual(AWAKE);
  });
});

describe("a listener that never said anything", () => {
  const quiet = { room: "group:quiet" } as const;

  it.each([
    { user: "ann", what: "Node's own WebSocket, in a room", more: quiet },
    { user: "ben", what: "Node's own WebSocket, in the whole hub", more: {} },
    { user: "cem", what: "ws, in a room", more: { ...quiet, WebSocket: WS } },
    { user: "dan", what: "ws, in the whole hub", more: { WebSocket: WS } },
  ])("by $what, is ended within 2 s of its revocation", async ({ user, more }) => {
    const url = `${endpoint.url}/hubs/quiet`;
    const token = await endpoint.token(user);
    await using listener =
      "room" in more
        ? connect<QuietHub>(url, { token, ...more })
        : connect<QuietHub>(url, { token, ...more });
    await listener.ready;
    const changed = new Promise<State>((resolve) => listener.onState(resolve));
    const service = backend<QuietHub>({ url, accessKey: KEY });
    await service.user(user).revoke();
    const revokedAt = performance.now();
    expect(await changed).toMatchObject({
      status: "closed",
      error: { code: "revoked" },
    });
    expect(performance.now() - revokedAt).toBeLessThan(2_000);
  });
});
