// The hooks in a real browser: pages of a small React app (pages/chat.tsx, in StrictMode), from a server of their own,
// talking to the real endpoint.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page, WebSocket } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { PATIENCE_MS } from "../support/patience.ts";

const PAGE = fileURLToPath(new URL("../pages/chat.tsx", import.meta.url));
let endpoint: OwnEndpoint;
let browser: Browser;
let site: Server;
let origin: string;
beforeAll(async () => {
  site = await serveSite(await bundle());
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  [endpoint, browser] = await Promise.all([
    startEngine({ vars: { ALLOWED_ORIGINS: origin } }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  site.close();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

/** Pages made up by the test driver have no address, and Chromium keeps those from servers on loopback. */
async function serveSite(script: string): Promise<Server> {
  const server = createServer(({ url }, response) =>
    url === "/chat.js"
      ? response.setHeader("content-type", "text/javascript").end(script)
      : response.setHeader("content-type", "text/html").end(HTML),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const HTML = `<!doctype html><html lang="en"><title>Chat</title><link rel="icon" href="data:,">
<body><script type="module" src="/chat.js"></script></body></html>`;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [PAGE],
    // Only then does StrictMode mount everything twice.
    define: { "process.env.NODE_ENV": '"development"' },
    ...{ bundle: true, format: "esm", target: "es2022", jsx: "automatic", write: false },
  });
  return outputFiles[0]!.text;
}

/** Whatever pages complain about. */
const complaints: string[] = [];
afterEach(() => {
  const all = complaints.splice(0);
  if (all.length > 0) throw new Error(all.join("\n"));
});

interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly sockets: readonly WebSocket[];
  say(text: string): Promise<void>;
}

async function open(user: string, room: string): Promise<Opened> {
  const page = await browser.newPage();
  const sockets: WebSocket[] = [];
  page.on("websocket", (socket) => sockets.push(socket));
  page.on("pageerror", (error) => complaints.push(`${user}: ${error.stack}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      complaints.push(`${user}: ${message.text().slice(0, 500)}`);
  });
  page.setDefaultTimeout(PATIENCE_MS);
  const token = await endpoint.token(user);
  const hub = `${endpoint.url}/hubs/chat`;
  await page.goto(`${origin}/?${new URLSearchParams({ hub, room, token })}`);
  await status(page, "connected");
  return {
    page,
    sockets,
    async say(text) {
      await page.getByLabel("Message").fill(text);
      await page.getByLabel("Message").press("Enter");
    },
    [Symbol.asyncDispose]: () => page.close(),
  };
}

const status = (page: Page, shown: string): Promise<void> =>
  page.locator("output", { hasText: new RegExp(`^${shown}$`) }).waitFor();
const lines = (page: Page): Promise<string[]> => page.locator("li").allTextContents();
const heard = (page: Page, count: number): Promise<void> =>
  page
    .getByTitle("Heard")
    .filter({ hasText: `${count}` })
    .waitFor();
const members = (page: Page, users: string): Promise<void> =>
  page
    .getByTitle("Members")
    .filter({ hasText: new RegExp(`^${users}$`) })
    .waitFor();
const closed = async (socket: WebSocket): Promise<void> => {
  if (!socket.isClosed()) await socket.waitForEvent("close");
};

describe("useHub and usePresence", () => {
  it("show two pages each other's messages, in order, and who is there", async () => {
    await using alice = await open("alice", "hall");
    await using bob = await open("bob", "hall");
    for (const { page } of [alice, bob]) await members(page, "alice, bob");
    await alice.say("one");
    await heard(bob.page, 1);
    await bob.say("two");
    for (const { page } of [alice, bob]) await heard(page, 2);
    for (const { page } of [alice, bob])
      expect(await lines(page)).toEqual(["alice: one", "bob: two"]);
  });

  it("share one socket among a room's components, mounted twice by StrictMode, rendered often", async () => {
    await using alice = await open("alice", "one");
    for (const text of ["a", "b", "c"]) await alice.say(text);
    await heard(alice.page, 3);
    await members(alice.page, "alice");
    expect(alice.sockets.map((socket) => new URL(socket.url()).pathname)).toEqual([
      "/hubs/chat/groups/one",
    ]);
    expect(alice.sockets[0]!.isClosed()).toBe(false);
  });

  it("call the handlers of the newest rendering, and do not reconnect for them", async () => {
    await using alice = await open("alice", "loud");
    await alice.say("soft");
    await heard(alice.page, 1);
    await alice.page.getByLabel("Loud").check();
    await alice.say("loud");
    await heard(alice.page, 2);
    expect(await lines(alice.page)).toEqual(["alice: soft", "alice: LOUD"]);
    expect(alice.sockets).toHaveLength(1);
  });

  it("keep the connection when a component takes another's place in the room", async () => {
    await using alice = await open("alice", "relay");
    await alice.say("to the first");
    await heard(alice.page, 1);
    await alice.page.getByText("Replace").click();
    await heard(alice.page, 0);
    await alice.say("to the second");
    await heard(alice.page, 1);
    expect(await lines(alice.page)).toEqual(["alice: to the second"]);
    expect(alice.sockets).toHaveLength(1);
  });

  it("move to another room when it changes, and leave the one before", async () => {
    await using alice = await open("alice", "from");
    await using bob = await open("bob", "from-next");
    await alice.page.getByText("Next room").click();
    await members(alice.page, "alice, bob");
    await alice.say("here I am");
    await heard(bob.page, 1);
    expect(await lines(bob.page)).toEqual(["alice: here I am"]);
    await closed(alice.sockets[0]!);
    expect(alice.sockets).toHaveLength(2);
  });

  it("close when the last component is gone, and open anew when one is back", async () => {
    await using alice = await open("alice", "door");
    await using bob = await open("bob", "door");
    await members(bob.page, "alice, bob");
    await alice.page.getByText("Toggle").click();
    await closed(alice.sockets[0]!);
    // A return within the grace would be no leave.
    await members(bob.page, "bob");
    expect(alice.sockets).toHaveLength(1);
    await alice.page.getByText("Toggle").click();
    await members(bob.page, "alice, bob");
    await alice.say("back");
    await heard(bob.page, 1);
    expect(alice.sockets).toHaveLength(2);
  });

  it("come back after the server was killed, with what was said before and after", async () => {
    await using alice = await open("alice", "den");
    await using bob = await open("bob", "den");
    await alice.say("before");
    await heard(bob.page, 1);
    await endpoint.kill();
    await status(bob.page, "reconnecting");
    await alice.say("meanwhile");
    await endpoint.restart();
    for (const { page } of [alice, bob]) await heard(page, 2);
    expect(await lines(bob.page)).toEqual(["alice: before", "alice: meanwhile"]);
    // The browser's own words about a server that is not there, or no longer.
    const own = /WebSocket connection to .* failed/;
    expect(complaints.splice(0).filter((text) => !own.test(text))).toEqual([]);
  });
});
