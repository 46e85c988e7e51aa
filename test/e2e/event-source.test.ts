// Rooms on one stream of events, read by Chromium's own EventSource, by our `events` in the same page, and by our
// `events` in Node, while the server dies under load.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { events } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { Page, Told } from "../pages/events.ts";
import { launchBrowser } from "../support/browser.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import { startProxy } from "../support/proxy.ts";
import { eventually } from "./client.ts";
import { EventReader, LoudRoom } from "./event-crowd.ts";
import { startSite, type Site } from "./site.ts";

const ROOMS = ["group:a", "group:b", "group:c"] as const;
const PAGE = join(import.meta.dirname, "../pages/events.ts");

let endpoint: OwnEndpoint;
let browser: Browser;
let site: Site;
const disk = mkdtempSync(join(tmpdir(), "dormouse-events-"));
beforeAll(async () => {
  site = await startSite(PAGE);
  [endpoint, browser] = await Promise.all([
    startEngine({ disk, vars: { ALLOWED_ORIGINS: site.origin } }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  site[Symbol.dispose]();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
  rmSync(disk, { recursive: true, force: true });
});

interface Crowd extends AsyncDisposable {
  readonly rooms: readonly LoudRoom[];
  readonly readers: readonly EventReader[];
}

/** Everybody listens, at the endpoint or through a proxy. */
async function gather({ url }: { readonly url: string }): Promise<Crowd> {
  await using scope = new AsyncDisposableStack();
  const rooms = ROOMS.map((name) => scope.use(new LoudRoom(name, endpoint)));
  const [source, iterable, node] = [
    new EventReader("source", rooms),
    new EventReader("iterable", rooms),
    new EventReader("node", rooms),
  ];
  const hub = `${url}/hubs/chat`;
  const tab = await openPage(hub, { source, iterable });
  scope.defer(() => tab.close());
  const over = new AbortController();
  const reading = readInNode(hub, node, over.signal);
  scope.defer(async () => {
    over.abort();
    await reading;
  });
  const readers = [source, iterable, node];
  expect(await begun(readers)).toEqual(all("connected"));
  const held = scope.move();
  return { rooms, readers, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** How each room has begun, for each reader. */
const begun = (readers: readonly EventReader[]) =>
  Promise.all(readers.map((reader) => reader.begun(ROOMS.length)));
const all = (how: string) => Array(3).fill(ROOMS.map((room) => `${how} ${room}`));

/** One of Chromium's EventSource, and one of ours. */
async function openPage(
  hub: string,
  readers: Record<"source" | "iterable", EventReader>,
): Promise<Tab> {
  const tab = await browser.newPage();
  await tab.exposeFunction("tell", (which: keyof typeof readers, told: Told) =>
    readers[which].hear(told),
  );
  await tab.goto(site.origin);
  const token = await endpoint.token("reader");
  const query = new URLSearchParams({ rooms: ROOMS.slice(1).join(), access_token: token });
  await tab.evaluate(
    ([url, ...wanted]) => {
      const { listen, iterate } = globalThis as unknown as Page;
      listen(url);
      void iterate(...wanted);
    },
    [`${hub}/groups/a?${query}`, hub, ROOMS, token] as const,
  );
  return tab;
}

async function readInNode(hub: string, reader: EventReader, signal: AbortSignal): Promise<void> {
  const token = () => endpoint.token("reader");
  const options = { rooms: ROOMS, token, signal, backoff: { capMs: 1_000 } };
  for await (const event of events<ChatHub>(hub, options)) {
    if (event.type === "reconnecting") continue;
    const said = { hello: undefined, change: undefined, ...event };
    const data = JSON.stringify(said.params ?? said.hello ?? said.change);
    reader.hear({ type: said.method ?? said.type, id: said.id, data });
  }
}

/** As many deliveries more, in every room: the load is on. */
async function hearing({ rooms }: Crowd, count: number): Promise<void> {
  const enough = rooms.map(({ ledger }) => ledger.checked + count);
  const isEnough = async () => rooms.every(({ ledger }, i) => ledger.checked >= enough[i]!);
  await eventually(isEnough, "there is something to hear");
}

/** Nobody misses, repeats or mixes up anything, and the rooms keep what was heard. */
async function isWhole({ rooms, readers }: Crowd): Promise<void> {
  await Promise.all(rooms.map((room) => room.stop()));
  await Promise.all(readers.map((reader) => reader.complete()));
  expect(await Promise.all(rooms.map((room) => room.audit()))).toEqual([[], [], []]);
  expect(gaveUp(readers)).toEqual([]);
}

/** An EventSource tells of every loss, and of one for good by the state 2. */
const gaveUp = (readers: readonly EventReader[]) =>
  readers.flatMap(({ others }) =>
    others.filter(({ type, data }) => type !== "error" || data === "2"),
  );

describe("three rooms on one stream", () => {
  it("[R3][R5] are heard whole, once and in order, while the server is killed twice under load", async () => {
    await using crowd = await gather(endpoint);
    const { rooms, readers } = crowd;
    for (const room of rooms) room.start(200);
    for (let kills = 0; kills < 2; kills += 1) {
      await hearing(crowd, 30);
      // Killed in the middle of these: some are saved and unanswered, some not even saved.
      for (const room of rooms) room.burst(10);
      await endpoint.kill();
      for (const room of rooms) room.burst(5);
      await endpoint.restart();
      expect(await begun(readers)).toEqual(all("recovered"));
    }
    await hearing(crowd, 30);
    await isWhole(crowd);
  }, 120_000);

  it("[R3] say `reset` in the one room of which too much was missed, and go on", async () => {
    using proxy = await startProxy(endpoint.port);
    await using crowd = await gather(proxy);
    const { rooms, readers } = crowd;
    const [first, ...others] = rooms as [LoudRoom, ...LoudRoom[]];
    for (const room of rooms) room.start(50);
    await hearing(crowd, 30);
    proxy.refuse(true);
    proxy.sever("reset");
    for (const room of others) await room.stop();
    // More than the 100 messages that the room keeps, and not more at once than a connection may say.
    first.burst(60);
    await first.stop();
    proxy.refuse(false);
    for (const how of await begun(readers))
      expect(how).toEqual(["recovered group:b", "recovered group:c", "reset group:a"]);
    for (const room of rooms) room.start(50);
    await hearing(crowd, 30);
    await isWhole(crowd);
  });

  it("[R3] say `reset` where the rooms have lost their memory", async () => {
    await using crowd = await gather(endpoint);
    const { rooms, readers } = crowd;
    for (const room of rooms) room.start(100);
    await hearing(crowd, 30);
    await Promise.all(rooms.map((room) => room.stop()));
    await endpoint.kill();
    for (const file of readdirSync(disk)) rmSync(join(disk, file), { recursive: true });
    await endpoint.restart();
    expect(await begun(readers)).toEqual(all("reset"));
    for (const room of rooms) room.start(100);
    await hearing(crowd, 30);
    await isWhole(crowd);
  });
});

describe("a page of another origin", () => {
  it("is told why it may not read a room", async () => {
    const tab = await browser.newPage();
    await tab.goto(site.origin);
    const wanted = [
      `${endpoint.url}/hubs/chat`,
      "user:bob",
      await endpoint.token("reader"),
    ] as const;
    const refused = (args: typeof wanted) => (globalThis as unknown as Page).refusal(...args);
    expect(await tab.evaluate(refused, wanted)).toBe("forbidden");
    await tab.close();
  });
});
