// What a page learns of a refused connection in a real Chromium, which shows it neither status nor headers of a refused
// upgrade: our own client gets the reason on the socket, also in a page of a foreign origin.

import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signToken } from "../../src/cli/sign-token.ts";
import type { Attempt, Learned, RefusedPage } from "../pages/refused.ts";
import { launchBrowser } from "../support/browser.ts";
import { startEndpoint, type DevEndpoint } from "../support/endpoint.ts";
import { startSite, type Site } from "./site.ts";

const PAGE = join(import.meta.dirname, "../pages/refused.ts");

let endpoint: DevEndpoint;
let browser: Browser;
let site: Site;
let foreign: Site;
let tab: Tab;
let foreignTab: Tab;
let token: string;
/** What the browser's console shows, of both pages. */
let shown: string[];
/** WebSockets that the pages have opened. */
let sockets: string[];

beforeAll(async () => {
  [site, foreign] = await Promise.all([startSite(PAGE), startSite(PAGE)]);
  [endpoint, browser] = await Promise.all([
    startEndpoint({ vars: { ALLOWED_ORIGINS: site.origin } }),
    launchBrowser(),
  ]);
  [tab, foreignTab] = await Promise.all([open(site), open(foreign)]);
  token = await endpoint.token("alice");
});
afterAll(async () => {
  for (const one of [site, foreign]) one[Symbol.dispose]();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});
beforeEach(() => void ([shown, sockets] = [[], []]));

async function open({ origin }: Site): Promise<Tab> {
  const page = await browser.newPage();
  page.on("console", (message) => shown.push(message.text()));
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.goto(origin);
  await page.waitForFunction(() => "refusalOf" in globalThis);
  return page;
}

const socketOf = (page: Tab, attempt: Partial<Attempt>): Promise<Learned> =>
  page.evaluate((asked) => (globalThis as unknown as RefusedPage).refusalOf(asked), {
    ...{ url: `${endpoint.url}/hubs/chat`, token, ...attempt },
  });
const streamOf = (page: Tab, attempt: Partial<Attempt>): Promise<Learned> =>
  page.evaluate((asked) => (globalThis as unknown as RefusedPage).streamRefusalOf(asked), {
    ...{ url: `${endpoint.url}/hubs/chat`, token, ...attempt },
  });

const SENTENCE = expect.stringMatching(/^[A-Z].*\.$/);
const LOBBY = { room: "group:lobby" } as const;

const mistakes = async (): Promise<[what: string, code: string, attempt: Partial<Attempt>][]> => {
  const issuer = "https://other.example";
  const other = await signToken({ ...endpoint.keys, issuer }, { user: "alice", ttlSeconds: 60 });
  const misspelt = { url: `${endpoint.url}/hubs/chta` };
  return [
    ["no token", "token_missing", { ...LOBBY, token: "" }],
    ["a wrong issuer", "token_wrong_issuer", { ...LOBBY, token: other }],
    ["a misspelt hub", "hub_not_found", { ...LOBBY, ...misspelt }],
    ["another user's room", "forbidden", { room: "user:bob" }],
    ["a closed hub", "forbidden", { ...LOBBY, url: `${endpoint.url}/hubs/admin` }],
  ];
};

describe("a page of an allowed origin", () => {
  it("learns at once why its socket is refused, and tries no more", async () => {
    for (const [what, code, attempt] of await mistakes()) {
      [shown, sockets] = [[], []];
      const learned = await socketOf(tab, attempt);
      expect([what, learned]).toEqual([
        what,
        { status: "closed", code, message: SENTENCE, action: SENTENCE },
      ]);
      expect(sockets).toHaveLength(1);
      // The console says the same once, and has no complaint of the browser's own.
      await expect.poll(() => shown).toEqual([`${code} ${learned.message} ${learned.action}`]);
    }
  });

  it("learns it of a hub as a whole", async () => {
    const url = `${endpoint.url}/hubs/admin`;
    expect(await socketOf(tab, { url })).toMatchObject({ status: "closed", code: "forbidden" });
  });

  it("learns it of an event stream", async () => {
    for (const [what, code, attempt] of await mistakes())
      expect([what, await streamOf(tab, attempt)]).toEqual([
        ...[what, { status: "thrown", code, message: SENTENCE, action: SENTENCE }],
      ]);
  });
});

describe("a page of a foreign origin", () => {
  it("learns by its socket that its origin is not allowed", async () => {
    expect(await socketOf(foreignTab, LOBBY)).toEqual({
      ...{ status: "closed", code: "forbidden_origin", message: SENTENCE },
      action: expect.stringContaining("ALLOWED_ORIGINS"),
    });
    expect(sockets).toHaveLength(1);
  });

  it("cannot read an event stream's answer, and is told the probable cause", async () => {
    const { code, message, status } = await streamOf(foreignTab, LOBBY);
    expect([status, code]).toEqual(["reconnecting", "disconnected"]);
    expect(message).toContain(`ALLOWED_ORIGINS of the server does not name ${foreign.origin}`);
  });
});

it("a host where no server is has a sentence with the host, and is tried again", async () => {
  const learned = await socketOf(tab, { ...LOBBY, url: "http://127.0.0.1:9/hubs/chat" });
  expect(learned).toMatchObject({ status: "connecting", code: "disconnected" });
  expect(learned.message).toContain("No connection to 127.0.0.1:9");
});

it("the log has one line for each refusal, with its status over HTTP", async () => {
  const before = endpoint.logs().length;
  await socketOf(tab, { ...LOBBY, url: `${endpoint.url}/hubs/chto` });
  await expect.poll(() => endpoint.logs().slice(before)).toContain('"code":"hub_not_found"');
  const lines = endpoint.logs().slice(before).split("\n");
  // Other pages of this file try again meanwhile, and are refused as well.
  const own = lines.filter((line) => line.includes('"event":"refused"') && line.includes("/chto"));
  expect(own).toHaveLength(1);
});
