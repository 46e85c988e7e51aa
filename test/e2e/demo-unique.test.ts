// What the demo shows of its own: one price for all, other protocols in the same room, its code, and what a page costs.

import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { connect } from "../../src/client/index.ts";
import type { DemoHub } from "../../src/hubs/demo.ts";
import { startEndpoint } from "../support/endpoint.ts";
import { violationsOf } from "./accessible.ts";
import { sharedPages } from "../support/shared-endpoint.ts";
import { browsing } from "./browsing.ts";
import { visit } from "./demo-page.ts";
import { PATIENCE_MS } from "../support/patience.ts";

const site = browsing(visit, sharedPages);
const { come } = site;

/** Keeps each price that the page shows, in its order. */
const recordPrices = (page: Page) =>
  page.evaluate(`{
    const shown = document.getElementById("price");
    window.prices = [];
    new MutationObserver(() => window.prices.push(shown.textContent)).observe(shown, { childList: true });
  }`);
const pricesOf = (page: Page) => page.evaluate<string[]>("window.prices");

describe("two windows side by side", () => {
  it("see the same price at the same time", async () => {
    const [alice, bob] = [await come(), await come()];
    await alice.enter("alice", "market");
    await bob.enter("bob", "market", "guest");
    for (const { page } of [alice, bob]) await recordPrices(page);
    const longest = async () =>
      Math.min((await pricesOf(alice.page)).length, (await pricesOf(bob.page)).length);
    await expect.poll(longest).toBeGreaterThan(5);
    const [first, second] = [await pricesOf(alice.page), await pricesOf(bob.page)];
    // One may have begun a price earlier, or have shown the newest one already.
    const middle = first.slice(1, 5).join(" ");
    expect(new Set(first).size).toBeGreaterThan(3);
    expect(` ${second.join(" ")} `).toContain(middle);
  });
});

describe("the same room by other protocols", () => {
  it("brings a message by SignalR and by Server-Sent Events, once each is connected", async () => {
    const alice = await come();
    const sockets: string[] = [];
    alice.page.on("websocket", (socket) => sockets.push(new URL(socket.url()).pathname));
    await alice.enter("alice", "protocols");
    const lines = (name: string) => alice.page.getByRole("list", { name: `Messages by ${name}` });
    const panel = alice.page.getByRole("region", { name: "The same messages, by other protocols" });
    for (const at of [0, 1]) {
      await panel.getByRole("button", { name: "Connect", exact: true }).first().click();
      await expect
        .poll(() => panel.getByRole("button", { name: "Disconnect" }).count())
        .toBe(at + 1);
    }
    expect(sockets).toEqual(["/hubs/demo/rpc", "/hubs/demo"]);
    await alice.say("by three ways");
    await alice.log.getByText("by three ways").waitFor();
    for (const name of ["SignalR", "Server-Sent Events"])
      await lines(name).getByText("alice by three ways").waitFor();
    await panel.getByRole("button", { name: "Disconnect" }).first().click();
    await expect.poll(() => panel.getByRole("button", { name: "Disconnect" }).count()).toBe(1);
    await alice.say("by two");
    await lines("Server-Sent Events").getByText("alice by two").waitFor();
    expect(await lines("SignalR").getByText("by two").count()).toBe(0);
  });
});

/** A panel by its title, with text of its two listings. */
const PANELS = [
  ["#code", "sendToRoom: method(", "repeatable.invoke.sendToRoom"],
  ["Order 42", "updateOrderStatus: staff.method(", 'orders.on("orderStatusChanged"'],
  ["A hazelnut, to the highest bid", "bid: action([Amount]", "auction.run.bid"],
  ["Prices", "streamPrices: stream([Symbol]", "calls.stream.streamPrices"],
  ["Notify somebody", "notify: method([Name, Text]", 'demo.on("receiveNotification"'],
  ["The same messages, by other protocols", "joinRoom: method(", "new HubConnectionBuilder()"],
] as const;

/** By how many pixels the page and the listing's card overflow, at each width. */
async function overflows(page: Page, listing: Locator): Promise<number[]> {
  const all: number[] = [];
  for (const width of [1280, 360]) {
    // oxlint-disable-next-line no-await-in-loop -- one size after another
    await page.setViewportSize({ width, height: 740 });
    const card = page.locator(".card").filter({ has: listing });
    const [outer, inner] = [(await card.boundingBox())!, (await listing.boundingBox())!];
    all.push(Math.max(0, inner.x + inner.width - (outer.x + outer.width)));
    all.push(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth"));
  }
  return all;
}

describe("the code behind a panel", () => {
  it("is one click away, for each of them", async () => {
    const { page, enter } = await come();
    await enter("alice", "code");
    for (const [title, ofHub, ofPage] of PANELS) {
      await page.setViewportSize({ width: 1280, height: 740 });
      await page.getByRole("button", { name: `Code of ${title}` }).click();
      const listing = (name: string) => page.getByRole("region", { name: `${title}: ${name}` });
      const texts = await Promise.all(
        ["src/hubs/demo.ts", "the page"].map((name) => listing(name).textContent()),
      );
      expect.soft(texts).toEqual([expect.stringContaining(ofHub), expect.stringContaining(ofPage)]);
      expect.soft(texts.join()).not.toMatch(/#(end)?region/);
      expect.soft([title, await violationsOf(page)]).toEqual([title, []]);
      expect
        .soft([title, await overflows(page, listing("the page"))])
        .toEqual([title, [0, 0, 0, 0]]);
      await page.getByRole("button", { name: `Code of ${title}` }).click();
      expect.soft(await listing("the page").isVisible()).toBe(false);
    }
  });
});

describe("on a phone", () => {
  it("a notice covers nothing, wherever the page is scrolled to", async () => {
    const alice = await come({
      ...{ viewport: { width: 390, height: 740 }, hasTouch: true },
      reducedMotion: "no-preference",
    });
    // Everybody of that name is notified, in other files too.
    await alice.enter("phoebe", "phone");
    await using bob = connect<DemoHub>(`${site.endpoint.url}/hubs/demo`, {
      token: () => site.endpoint.token("bob", { tid: "default" }),
    });
    await bob.invoke.notify("phoebe", "Your nuts are ready.");
    const toast = alice.page.locator(".toast");
    await toast.getByText("Your nuts are ready.").waitFor();
    const page = alice.page.locator(".page");
    for (const place of ["0", "this.scrollHeight / 2", "this.scrollHeight"]) {
      await page.evaluate(
        `(page) => { page.scrollTop = (function () { return ${place}; }).call(page); }`,
      );
      const [below, above] = [await toast.boundingBox(), await page.boundingBox()];
      expect(below!.y).toBeGreaterThanOrEqual(above!.y + above!.height);
      expect(below!.y + below!.height).toBeLessThanOrEqual(740);
    }
    expect(await alice.page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await alice.page.getByRole("button", { name: "Dismiss" }).click();
    expect((await page.boundingBox())!.height).toBe(740);
  });
});

describe("twenty pages", () => {
  it("cost one socket each, and are one connection each at the server", async () => {
    const context = await site.browser.newContext({ reducedMotion: "reduce" });
    try {
      const sockets: string[] = [];
      context.on("page", (page) => page.on("websocket", (socket) => sockets.push(socket.url())));
      context.setDefaultTimeout(PATIENCE_MS);
      const pages = await Promise.all(Array.from({ length: 20 }, () => context.newPage()));
      const enter = async (page: Page, at: number) => {
        await page.goto(site.endpoint.url);
        await page.getByLabel("Your name").fill(`user-${at}`);
        await page.getByLabel("Room").fill("crowd");
        await page.getByRole("button", { name: "Come in" }).click();
        await page.getByRole("heading", { name: "#crowd" }).waitFor();
      };
      // One after another: pages that load at once are too much for two cores.
      // oxlint-disable-next-line no-await-in-loop
      for (const [at, page] of pages.entries()) await enter(page, at);
      await pages[0]!.getByText("20 are here").waitFor();
      expect(sockets).toHaveLength(20);
      const token = await site.endpoint.token("operator", { role: "service", tid: "default" });
      const stats = await fetch(
        `${site.endpoint.url}/api/hubs/demo/rooms/group:crowd/presence_stats`,
        {
          headers: { authorization: `Bearer ${token}` },
        },
      );
      expect(await stats.json()).toEqual({ num_clients: 20, num_users: 20 });
    } finally {
      await context.close();
    }
  });
});

describe("a guest of a deployed demo", () => {
  it("comes in by name, may change an order, and is in a tenant of guests", async () => {
    await using open = await startEndpoint({ vars: { DEMO_GUESTS: "1" } });
    await using outsider = connect<DemoHub>(`${open.url}/hubs/demo`, {
      token: () => open.token("carol"),
    });
    await outsider.join("group:lobby");
    const heard: string[] = [];
    outsider.on("receiveMessage", (_, text) => void heard.push(text));
    const [alice, bob] = [await come({}, open.url), await come({}, open.url)];
    await alice.enter("alice", "lobby");
    await bob.enter("bob", "lobby");
    await alice.say("hello guests");
    await bob.log.getByText("hello guests").waitFor();
    await alice.page.getByRole("button", { name: "packed" }).click();
    await bob.page.getByRole("button", { name: "packed", pressed: true }).waitFor();
    await outsider.invoke.sendToRoom("lobby", "of the default tenant");
    await expect.poll(() => heard).toEqual(["of the default tenant"]);
    expect(await bob.log.getByText("of the default tenant").count()).toBe(0);
  });
});
