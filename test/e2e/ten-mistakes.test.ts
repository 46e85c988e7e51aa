// Mistakes that only the real endpoint, stock clients and a browser show: an old compatibility date, an old client,
// pages of foreign origins, wrong arguments. The others: test/edge/answer/ten-mistakes.test.ts and refused.test.ts.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import type { Plugin } from "esbuild";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signToken } from "../../src/cli/sign-token.ts";
import { connect, type HubError } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { Attempt, Learned, RefusedPage } from "../pages/refused.ts";
import { launchBrowser } from "../support/browser.ts";
import { startEndpoint, type DevEndpoint } from "../support/endpoint.ts";
import {
  TEN,
  WRONG_ARGUMENTS,
  WRONG_ARGUMENTS_SIGNALR,
  type Mistake,
} from "../support/ten-mistakes.ts";
import { startSite, type Site } from "./site.ts";
import { TOKEN_TEXT } from "../support/token-text.ts";

const PAGE = join(import.meta.dirname, "../pages/refused.ts");
const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** The page as it was built with an older version of the package. */
const older: Plugin = {
  name: "older",
  setup: ({ onLoad }) =>
    onLoad({ filter: /package-version\.ts$/ }, () => ({
      loader: "ts",
      contents: 'export const VERSION = "0.0.9"; export const VERSION_PARAMETER = "dormouse";',
    })),
};

let endpoint: DevEndpoint;
let browser: Browser;
let sites: { readonly own: Site; readonly old: Site; readonly foreign: Site };
let token: string;
/** What the browser's console shows. */
let shown: string[];

beforeAll(async () => {
  const [own, old, foreign] = await Promise.all([
    ...[startSite(PAGE), startSite(PAGE, { plugins: [older] }), startSite(PAGE)],
  ]);
  sites = { own: own!, old: old!, foreign: foreign! };
  const vars = {
    ...{ DEVELOPMENT: "1", LOG_REFUSED_CALLS: "1" },
    ALLOWED_ORIGINS: `${own!.origin},${old!.origin}`,
  };
  [endpoint, browser] = await Promise.all([startEndpoint({ vars }), launchBrowser()]);
  token = await endpoint.token("alice");
});
afterAll(async () => {
  for (const site of Object.values(sites)) site[Symbol.dispose]();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

async function open({ origin }: Site): Promise<Tab> {
  shown = [];
  const page = await browser.newPage();
  page.on("console", (message) => shown.push(message.text()));
  await page.goto(origin);
  await page.waitForFunction(() => "refusalOf" in globalThis);
  return page;
}

const attempt = (url = endpoint.url): Attempt => ({
  ...{ url: `${url}/hubs/chat`, token, room: "group:lobby" },
});
const bySocket = (page: Tab, asked: Attempt): Promise<Learned> =>
  page.evaluate((one) => (globalThis as unknown as RefusedPage).refusalOf(one), asked);
const byEvents = (page: Tab, asked: Attempt): Promise<Learned> =>
  page.evaluate((one) => (globalThis as unknown as RefusedPage).streamRefusalOf(one), asked);

const words = (mistake: Mistake) => {
  const { code, message, action } = TEN[mistake];
  return { code, message, action };
};
const line = (mistake: Mistake): string =>
  [TEN[mistake].code, TEN[mistake].message, TEN[mistake].action].join(" ");

describe("a page with an old client", () => {
  it("is told so by its socket and by its stream, which the browser asks about before", async () => {
    const page = await open(sites.old);
    expect(await bySocket(page, attempt())).toEqual({
      status: "closed",
      ...words("an old client"),
    });
    expect(shown).toEqual([line("an old client")]);
    expect(await byEvents(page, attempt())).toEqual({
      status: "thrown",
      ...words("an old client"),
    });
  });
});

describe("a page of a foreign origin", () => {
  it("is in the log also where the browser sends nothing but a preflight", async () => {
    const page = await open(sites.foreign);
    const before = endpoint.logs().length;
    const { message } = await byEvents(page, attempt());
    expect(message).toContain(
      `ALLOWED_ORIGINS of the server does not name ${sites.foreign.origin}`,
    );
    const log = () => endpoint.logs().slice(before);
    await expect.poll(log).toContain('"code":"forbidden_origin"');
    expect(log()).toContain(`"received":"${sites.foreign.origin}"`);
    expect(shown.join(" ")).toContain("blocked by CORS policy");
  });

  it("is told by its socket", async () => {
    const page = await open(sites.foreign);
    const told = { status: "closed", ...words("a foreign origin") };
    expect(await bySocket(page, attempt())).toEqual(told);
    expect(shown).toEqual([line("a foreign origin")]);
  });
});

describe("an old compatibility date", () => {
  it("is told with the line that mends it, in client, console and log, and mended while the client waits", async () => {
    using folder = folderOf("2025-01-01");
    await using misconfigured = await startEndpoint({ folder: folder.path });
    const page = await open(sites.own);
    const told = words("an old compatibility date");
    const learned = await bySocket(page, attempt(misconfigured.url));
    // The worker's own problem is not the page's: the attempts go on, until it is mended.
    expect(learned).toEqual({ status: "connecting", ...told });
    expect(shown).toEqual([line("an old compatibility date")]);
    const [, problem = ""] = told.message.split("\n\n1. ");
    const logged = JSON.stringify(problem.trim());
    await expect.poll(() => misconfigured.logs()).toContain(`"problems":[${logged}]`);

    vi.spyOn(console, "error").mockImplementation(() => {});
    const own = await misconfigured.token("alice");
    const chat = connect<ChatHub>(`${misconfigured.url}/hubs/chat`, {
      room: "group:lobby",
      token: own,
    });
    await expect.poll(() => chat.lastError).toMatchObject({ status: 500, ...told });
    folder.write("2026-10-01");
    await chat.ready;
    chat.close();
  });
});

/** A folder with a worker of our hubs, at this compatibility date. */
function folderOf(date: string) {
  const path = mkdtempSync(join(tmpdir(), "dormouse-mistake-"));
  const names = { ROOMS: "Room", RELAYS: "Relay", ACCOUNTS: "Account" };
  const write = (newDate: string) =>
    writeFileSync(
      join(path, "wrangler.json"),
      JSON.stringify({
        ...{ name: "mistaken", main: join(PROJECT, "src/worker.ts"), compatibility_date: newDate },
        compatibility_flags: ["no_web_socket_compression", "enable_request_signal"],
        exports: Object.fromEntries(
          Object.values(names).map((name) => [name, { type: "durable-object", storage: "sqlite" }]),
        ),
        durable_objects: {
          bindings: Object.entries(names).map(([name, className]) => ({
            ...{ name, class_name: className },
          })),
        },
      }),
    );
  write(date);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe("wrong arguments", () => {
  it("are named with what was expected and what came, to our own client and in the log", async () => {
    const chat = connect<ChatHub>(`${endpoint.url}/hubs/chat`, { room: "group:lobby", token });
    const before = endpoint.logs().length;
    // @ts-expect-error a room is a text
    const error = await chat.invoke.sendToRoom(7, "hello").catch((refused: HubError) => refused);
    expect(error).toMatchObject({ code: "invalid_arguments", message: WRONG_ARGUMENTS });
    await expect
      .poll(() => endpoint.logs().slice(before))
      .toContain(`"reason":"${WRONG_ARGUMENTS}"`);
    chat.close();
  });

  it.each([
    ["JSON", undefined],
    ["MessagePack", new MessagePackHubProtocol()],
  ])("are named to SignalR's clients in %s, in development", async (_, protocol) => {
    const builder = new HubConnectionBuilder()
      .withUrl(`${endpoint.url}/hubs/chat`, { accessTokenFactory: () => token })
      .configureLogging(LogLevel.None);
    if (protocol) builder.withHubProtocol(protocol);
    const connection = builder.build();
    await connection.start();
    await expect(connection.invoke("SendToRoom", 7, "hello")).rejects.toThrow(
      WRONG_ARGUMENTS_SIGNALR,
    );
    await connection.stop();
  });
});

describe("SignalR's clients", () => {
  it.each<[Mistake, () => Promise<string>, string]>([
    ["no token", async () => "", "chat"],
    [
      "a wrong issuer",
      () => signToken({ ...endpoint.keys, issuer: "me" }, { user: "alice", ttlSeconds: 60 }),
      "chat",
    ],
    ["a misspelt hub", async () => token, "chta"],
  ])("reject start() with the words of %s", async (mistake, tokenOf, hub) => {
    const connection = new HubConnectionBuilder()
      .withUrl(`${endpoint.url}/hubs/${hub}`, {
        ...{ accessTokenFactory: tokenOf, transport: HttpTransportType.WebSockets },
      })
      .configureLogging(LogLevel.None)
      .build();
    const error = await connection.start().catch((refused: Error) => refused);
    expect(String(error)).toContain(TEN[mistake].message);
  });
});

it("no line of the log has a token", () => {
  expect(endpoint.logs()).toContain('"event":"refused"');
  expect(endpoint.logs()).not.toMatch(TOKEN_TEXT);
  expect(endpoint.logs()).not.toContain(endpoint.keys.secret);
});
