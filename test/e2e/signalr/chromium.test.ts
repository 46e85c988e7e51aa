// The stock client in a real browser: a page of another origin (pages/signalr.ts) uses hubs in every way there is.

import { join } from "node:path";
import type { Browser } from "playwright-core";
import { HttpTransportType } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Use } from "../../pages/signalr.ts";
import { launchBrowser } from "../../support/browser.ts";
import type { Endpoint } from "../../support/endpoint.ts";
import { startTestEngine } from "../../support/engine.ts";
import { startSite, type Site } from "../site.ts";
import { ROWS, visit, type Row } from "./connections.ts";

const PAGE = join(import.meta.dirname, "../../pages/signalr.ts");

let endpoint: Endpoint;
let browser: Browser;
let site: Site;
let origin: string;
beforeAll(async () => {
  site = await startSite(PAGE);
  ({ origin } = site);
  [endpoint, browser] = await Promise.all([
    startTestEngine({ vars: { ALLOWED_ORIGINS: origin } }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  site[Symbol.dispose]();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

describe("the stock client in a browser", () => {
  it.each(ROWS.map((row, index) => ({ ...row, index })))("$name", async ({ index, ...row }) => {
    const room = `room-${index}`;
    const hears = ["ReceiveMessage"];
    await using bob = await visit({ endpoint, row, hub: "chat" }, { user: "bob", hears });
    await bob.invoke("JoinRoom", room);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      const isBad = ["error", "warning"].includes(message.type());
      if (isBad && !isLateClose(row, message.text())) complaints.push(message.text());
    });
    await page.goto(origin);
    const result = await page.evaluate(
      (wanted) => (globalThis as unknown as { use: Use }).use(wanted),
      { row: index, endpoint: endpoint.url, token: await endpoint.token("alice"), room },
    );
    await page.close();
    expect({ result, complaints }).toEqual({ result: RESULT(room), complaints: [] });
    expect(await bob.next("ReceiveMessage")).toEqual(["alice", "from a page"]);
  });
});

describe("the stock client in a browser that lacks", () => {
  it.each([
    ["WebSocket", "JSON", ["WebSocket"], "text/event-stream"],
    ["WebSocket and EventSource", "JSON", ["WebSocket", "EventSource"], "poll"],
    ["WebSocket, in a protocol that events cannot carry,", "MessagePack", ["WebSocket"], "poll"],
  ] as const)("%s falls back, and works", async (_, row, lacking, how) => {
    const room = `lacking-${row}-${lacking.length}`;
    await using bob = await visit(
      { endpoint, row: ROWS[0]!, hub: "chat" },
      { user: "bob", hears: ["ReceiveMessage"] },
    );
    await bob.invoke("JoinRoom", room);
    const page = await browser.newPage();
    await page.addInitScript(
      (names) => names.forEach((name) => Reflect.deleteProperty(globalThis, name)),
      [...lacking],
    );
    const ways = new Set<string>();
    page.on("websocket", () => ways.add("WebSocket"));
    page.on("request", (request) => {
      const isConnecting = request.method() === "GET" && request.url().includes("/hubs/");
      const { accept = "" } = request.headers();
      if (isConnecting) ways.add(accept === "text/event-stream" ? accept : "poll");
    });
    await page.goto(origin);
    const result = await page.evaluate(
      (wanted) => (globalThis as unknown as { use: Use }).use(wanted),
      { row, endpoint: endpoint.url, token: await endpoint.token("alice"), room },
    );
    await page.close();
    expect(result).toEqual(RESULT(room));
    expect([...ways]).toEqual([how]);
    expect(await bob.next("ReceiveMessage")).toEqual(["alice", "from a page"]);
  });
});

/** The client's Close comes after its DELETE, as with ASP.NET (docs/design/signalr-transports.md#lp4). */
const isLateClose = ({ options }: Row, text: string): boolean =>
  options.transport === HttpTransportType.LongPolling && text.includes("404 (Not Found)");

const RESULT = (room: string) => ({
  chat: { heard: ["alice", "from a page"], joined: ["alice", room] },
  echo: { text: "Grüße 👋", list: [1, -2.5, null, true] },
  items: [1, 2, 3, 4, 5],
  sum: 6.5,
  asked: [true, false],
  error: "An unexpected error occurred invoking 'Fail' on the server. HubException: no tea",
  broken: "An error occurred on the server while streaming results. HubException: no more tea",
  ended: ["quietly", "quietly"],
});
