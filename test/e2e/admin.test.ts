// The admin page in a real Chromium against the real endpoint: what an operator sees of rooms, and does to them.

import type { BrowserContextOptions } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import { connect, type Connection } from "../../src/client/index.ts";
import type { AuctionHub } from "../../src/hubs/auction.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { sharedPages } from "../support/shared-endpoint.ts";
import { browsing } from "./browsing.ts";
import { visitAdmin, type AdminVisit } from "./admin-page.ts";

const site = browsing(visitAdmin, sharedPages);
const { come } = site;

const clients: Disposable[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
});

const service = (claims: object = {}) =>
  site.endpoint.token("operator", { role: "service", ...claims });

async function signedIn(options?: BrowserContextOptions): Promise<AdminVisit> {
  const made = await come(options);
  await made.signIn(await service());
  return made;
}

/** Somebody in a room of the chat. */
async function chatter(room: string, user: string): Promise<Connection<ChatHub>> {
  const made = connect<ChatHub>(`${site.endpoint.url}/hubs/chat`, {
    room: `group:${room}`,
    token: () => site.endpoint.token(user),
  });
  clients.push({ [Symbol.dispose]: () => made.close() });
  await made.ready;
  return made;
}

interface LongRoom {
  readonly newest: number;
  /** More messages at a look. */
  readonly each: number;
  /** The most messages of an answer, because they are long. */
  readonly most?: number;
}

/** A room that keeps a thousand messages; the operator has opened it. */
async function longRoom(admin: AdminVisit, start: LongRoom) {
  const room = { ...start, epoch: "e" };
  await admin.page.route("**/rooms/group%3Along/history?*", async (route) => {
    const { searchParams: query } = new URL(route.request().url());
    const since = query.get("since");
    if (since !== null) room.newest += start.each;
    const limit = Math.min(Number(query.get("limit")), start.most ?? Infinity);
    const first = since === null ? room.newest - limit + 1 : Number(since.split(":")[1]) + 1;
    const offsets = Array.from({ length: limit }, (_, n) => first + n);
    const publications = offsets
      .filter((offset) => offset <= room.newest)
      .map((offset) => ({ offset, target: "said", arguments: [], at: 0 }));
    const body = since === null ? publications.toReversed() : publications;
    const { epoch, newest: offset } = room;
    await route.fulfill({ json: { publications: body, epoch, offset } });
  });
  await admin.open("chat", "group:long");
  const shown = async () =>
    (await admin.panel("Messages").locator(".offset").allTextContents()).map(Number);
  const more = async () => {
    const { length } = await shown();
    await admin.page.getByRole("button", { name: "Older" }).click();
    await expect.poll(async () => (await shown()).length).toBeGreaterThan(length);
  };
  await expect.poll(async () => (await shown()).length).toBeGreaterThan(0);
  return Object.assign(room, { shown, more });
}

describe("an operator", () => {
  it("finds a hub's rooms, the most active first, and opens one by its name", async () => {
    const first = await chatter("early", "alice");
    await first.invoke.sendToRoom("early", "first");
    const admin = await signedIn();
    await admin.panel("Hubs").getByRole("link", { name: "chat", exact: true }).click();
    const rooms = admin.panel("Rooms");
    await rooms.getByRole("link", { name: "group:early" }).waitFor({ timeout: 40_000 });
    const second = await chatter("late", "bob");
    await second.invoke.sendToRoom("late", "second");
    const names = async () => {
      await rooms.getByRole("button", { name: "Refresh" }).click();
      return rooms.getByRole("link").allTextContents();
    };
    const wanted = () => names().then((all) => all.filter((name) => /early|late/.test(name)));
    await expect.poll(wanted, { timeout: 40_000 }).toEqual(["group:late", "group:early"]);
    await rooms.getByLabel("Sorted by").selectOption("Name");
    await expect.poll(wanted).toEqual(["group:early", "group:late"]);
    await rooms.getByLabel("Names begin with").fill("group:ea");
    await expect.poll(names).toEqual(["group:early"]);
    await rooms.getByLabel("Any room").fill("order:never-seen");
    await rooms.getByRole("button", { name: "Open" }).click();
    await admin.page.getByRole("heading", { name: "order:never-seen" }).waitFor();
    await admin.panel("Present").getByText("Nobody is here.").waitFor();
  });

  it("sees who is present and what was said, follows what comes, and publishes", async () => {
    const alice = await chatter("talk", "alice");
    for (let n = 1; n <= 60; n++) await alice.invoke.sendToRoom("talk", `message ${n}`);
    const admin = await signedIn();
    await admin.open("chat", "group:talk");
    await admin.panel("Present").getByText("1 user, 1 connection").waitFor();
    await admin.panel("Present").getByText("alice", { exact: true }).waitFor();
    const log = admin.page.getByRole("log");
    const lines = () => log.locator("code").allTextContents();
    await log.getByText('["alice","message 60"]').waitFor();
    expect((await lines()).filter((text) => text.includes("message")).length).toBeLessThan(60);
    await admin.page.getByRole("button", { name: "Older" }).click();
    await log.getByText('["alice","message 1"]').waitFor();
    await alice.invoke.sendToRoom("talk", "live");
    await log.getByText('["alice","live"]').waitFor();

    const got = Promise.withResolvers<unknown>();
    alice.on("receiveMessage", (user, text) => user === "operator" && got.resolve(text));
    await admin.page.getByLabel("Client method").fill("receiveMessage");
    await admin.page.getByLabel("Arguments, a JSON array").fill('["operator", "hello all"');
    await admin.page.getByRole("button", { name: "Publish" }).click();
    await admin.panel("Publish").getByText("The arguments are no JSON").waitFor();
    await admin.page.getByLabel("Arguments, a JSON array").fill('["operator", "hello all"]');
    await admin.page.getByRole("button", { name: "Publish" }).click();
    expect(await got.promise).toBe("hello all");
    await log.getByText('["operator","hello all"]').waitFor();
    // Each message once, newest first, and the operator is in no list of members.
    const numbers = (await log.locator(".offset").allTextContents()).map(Number);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => b - a));
    expect(await admin.panel("Present").getByRole("listitem").count()).toBe(1);
  });

  it("sees no gap between older messages and those that it follows, however many there are", async () => {
    const admin = await signedIn();
    // It says more with each look at it.
    const room = await longRoom(admin, { newest: 900, each: 7 });
    const { shown, more } = room;
    for (let page = 0; page < 12; page++) await more();
    const before = room.newest;
    await expect.poll(async () => (await shown())[0]).toBeGreaterThan(before + 7);
    await admin.page.getByRole("button", { name: "Follow" }).click();
    await more();
    const offsets = await shown();
    expect(offsets).toEqual(offsets.map((_, n) => offsets[0]! - n));
    expect(offsets.length).toBeGreaterThan(600);
    // Of another day they have the date.
    expect(await admin.panel("Messages").locator("time").first().textContent()).toMatch(
      /(69|70).*:/,
    );
  });

  it("sees no gap in a room of 480 messages between two looks", async () => {
    const admin = await signedIn();
    const room = await longRoom(admin, { newest: 900, each: 480 });
    await expect.poll(async () => (await room.shown())[0]).toBeGreaterThan(900 + 960);
    const offsets = await room.shown();
    expect(offsets).toEqual(offsets.map((_, n) => offsets[0]! - n));
    expect(offsets).toHaveLength(500);
  });

  it("sees no gap where messages are so long that an answer has few of them", async () => {
    const admin = await signedIn();
    const room = await longRoom(admin, { newest: 900, each: 30, most: 20 });
    await expect.poll(async () => (await room.shown())[0]).toBeGreaterThan(900 + 20);
    const offsets = await room.shown();
    expect(offsets).toEqual(offsets.map((_, n) => offsets[0]! - n));
  });

  it("is told where messages were forgotten before they were read, and not that the room was erased", async () => {
    const admin = await signedIn();
    await longRoom(admin, { newest: 900, each: 1 });
    await admin.page.route(/group%3Along\/history\?since=/, (route) =>
      route.fulfill({ status: 410, headers: { "x-dormouse-error": "history_gone" }, body: "{}" }),
    );
    await admin.panel("Messages").getByText("Messages are missing here").waitFor();
    expect(await admin.page.getByText("The room was erased").count()).toBe(0);
    expect(new Set(admin.complaints.splice(0)).size).toBe(1);
  });

  it("reads and publishes numbers of any length with each digit", async () => {
    const long = "[9007199254740993]";
    const admin = await signedIn();
    await admin.open("chat", "group:digits");
    const publish = admin.panel("Publish");
    await publish.getByLabel("Client method").fill("counted");
    await publish.getByLabel("Arguments, a JSON array").fill(long);
    await publish.getByRole("button", { name: "Publish" }).click();
    await publish.getByText(/^published at/).waitFor();
    const shown = admin.page.getByRole("log").getByText(long, { exact: true });
    await expect.poll(() => shown.count()).toBe(1);
  });

  it("goes back although much has come since it stopped following, and sees nothing twice", async () => {
    const admin = await signedIn();
    const room = await longRoom(admin, { newest: 300, each: 1 });
    const follow = admin.page.getByRole("button", { name: "Follow" });
    // Pressed while a look is under way.
    for (let press = 0; press < 7; press++) await follow.click();
    room.newest += 200;
    await room.more();
    const older = admin.page.getByRole("button", { name: "Older" });
    await older.dblclick();
    await expect.poll(async () => (await room.shown()).at(-1)).toBeLessThan(300 - 150);
    const offsets = await room.shown();
    expect(offsets).toEqual(offsets.map((_, n) => offsets[0]! - n));
    expect(await older.isEnabled()).toBe(true);
  });

  it("is told what failed, for as long as nothing else is done, and of a look until one succeeds", async () => {
    const admin = await signedIn();
    const room = await longRoom(admin, { newest: 300, each: 1 });
    // No JSON, which the error quotes: of a status the browser itself would complain.
    const refuse = (body: string, reads: RegExp) =>
      admin.page.route(reads, (route) => route.fulfill({ body }));
    const told = (text: string) => admin.panel("Messages").getByText(text);
    await refuse("Not older.", /group%3Along\/history\?.*reverse=true/);
    await admin.page.getByRole("button", { name: "Older" }).click();
    await told("Not older.").waitFor();
    const { newest } = room;
    await expect.poll(async () => (await room.shown())[0]).toBeGreaterThan(newest + 1);
    expect(await told("Not older.").count()).toBe(1);
    await refuse("Not now.", /group%3Along\/history\?since=/);
    await told("Not now.").waitFor();
    await admin.page.unroute(/group%3Along\/history\?since=/);
    await told("Not now.").waitFor({ state: "detached" });
  });

  it("begins anew, with a note, where the room was erased, and goes on from there", async () => {
    const admin = await signedIn();
    const room = await longRoom(admin, { newest: 700, each: 0 });
    await admin.page.getByRole("button", { name: "Follow" }).click();
    Object.assign(room, { epoch: "f", newest: 600 });
    await admin.page.getByRole("button", { name: "Older" }).click();
    await admin.panel("Messages").getByText("The room was erased").waitFor();
    for (let page = 0; page < 9; page++) await room.more();
    await admin.page.getByRole("button", { name: "Follow" }).click();
    // The list is full: all below the note goes, and then the note.
    for (let look = 0; look < 10; look++) {
      const [first] = await room.shown();
      room.newest += 45;
      await expect.poll(async () => (await room.shown())[0]).toBe(first! + 45);
      expect(await admin.page.getByRole("button", { name: "Older" }).isEnabled()).toBe(true);
    }
    await admin.page.getByRole("button", { name: "Follow" }).click();
    await room.more();
    const offsets = await room.shown();
    expect(offsets).toEqual(offsets.map((_, n) => offsets[0]! - n));
  });

  it("disconnects and bans a user, and lets the user in again", async () => {
    const alice = await chatter("ban", "alice-to-ban");
    const admin = await signedIn();
    await admin.open("chat", "group:ban");
    await admin.page.getByRole("button", { name: "Ban alice-to-ban" }).click();
    await admin.page.goBack();
    await admin.page.getByRole("heading", { name: "All hubs" }).waitFor();
    // Its question was about the view that has ended.
    expect(await admin.page.getByRole("dialog").count()).toBe(0);
    await admin.page.goForward();
    const dialog = admin.page.getByRole("dialog");
    // A key that is pressed twice is no answer.
    await admin.page.getByRole("button", { name: "Ban alice-to-ban" }).press("Enter");
    await dialog.waitFor();
    await admin.page.keyboard.press("Enter");
    await dialog.getByLabel("Reason, if any").fill("Too loud");
    await dialog.getByRole("button", { name: "Ban" }).click();
    await admin.panel("Present").getByText("alice-to-ban is banned.").waitFor();
    await admin.panel("Present").getByText("Nobody is here.").waitFor();
    await expect.poll(() => alice.state.status).toBe("closed");
    expect(alice.state).toMatchObject({ error: { message: expect.stringContaining("Too loud") } });
    await admin.open("chat");
    const user = admin.panel("A user");
    await user.getByLabel("User id").fill("alice-to-ban");
    await user.getByRole("button", { name: "Unban" }).click();
    await user.getByText("alice-to-ban is not banned.").waitFor();
    const again = await chatter("ban", "alice-to-ban");
    await user.getByRole("button", { name: "Is connected?" }).click();
    await user.getByText("alice-to-ban is connected to chat.").waitFor();
    await user.getByRole("button", { name: "Disconnect" }).click();
    await expect.poll(() => again.state.status).toBe("closed");
  });

  it("clears a room's history, erases it once its name is typed, and disconnects all", async () => {
    const alice = await chatter("end", "alice");
    await alice.invoke.sendToRoom("end", "to be cleared");
    const admin = await signedIn();
    await admin.open("chat", "group:end");
    const { page } = admin;
    const dialog = page.getByRole("dialog");
    await page.getByRole("log").getByText("to be cleared").waitFor();
    await page.getByRole("img", { name: /^Messages, over a minute: 0\.\d+\/s now/ }).waitFor();
    const clear = page.getByRole("button", { name: "Clear history" });
    await clear.click();
    await page.keyboard.press("Escape");
    // The dialog is hidden before its "close" event ends the question, and until then a press does nothing.
    await expect.poll(() => clear.isEnabled()).toBe(true);
    // A key that is pressed twice is no answer.
    await clear.press("Enter");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    expect((await alice.history()).messages).not.toEqual([]);
    await clear.click();
    await dialog.getByText("Deletes the messages of group:end.").waitFor();
    await dialog.getByRole("button", { name: "Clear" }).click();
    await page.getByText("Done: clear history.").waitFor();
    expect((await alice.history()).messages).toEqual([]);
    const reset = Promise.withResolvers<void>();
    alice.onReload(() => reset.resolve());
    await page.getByRole("button", { name: "Erase room" }).click();
    const erase = dialog.getByRole("button", { name: "Erase" });
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByLabel("Type group:end to go on").fill("group:end");
    await erase.click();
    await reset.promise;
    await page.getByRole("log").getByText("The room was erased").waitFor();
    // The browser itself reports that the position is of an epoch that has ended.
    expect(admin.complaints.splice(0)).toEqual([expect.stringContaining("410 (Gone)")]);
    await page.getByRole("button", { name: "Disconnect all" }).click();
    await dialog.getByRole("button", { name: "Disconnect" }).click();
    await expect.poll(() => alice.state.status).toBe("closed");
  });

  it("sees limits that were hit, with their rooms, and figures as charts", async () => {
    const alice = await chatter("flood", "alice");
    const calls = Array.from({ length: 150 }, () => alice.invoke.sendToRoom("flood", "x"));
    const ends = await Promise.allSettled(calls);
    expect(ends.some(({ status }) => status === "rejected")).toBe(true);
    const admin = await signedIn();
    const limits = admin.panel("Limits and refusals");
    const row = limits.getByRole("row").filter({ hasText: "rate_limited" });
    await row.getByRole("link", { name: "chat · group:flood" }).waitFor({ timeout: 40_000 });
    await row.getByText("calls, connects or history too often").waitFor();
    const charts = admin.panel("The last minutes");
    await expect
      .poll(() => charts.getByRole("img", { name: /^Connections: \d+ now/ }).count())
      .toBe(1);
    for (const name of [/^Mean delivery: /, /^Mean call: /])
      await expect.poll(() => charts.getByRole("img", { name }).count()).toBe(1);
    await row.getByRole("link").click();
    await admin.page.getByRole("heading", { name: "group:flood" }).waitFor();
  });

  it("sees the state of a room that has one", async () => {
    const admin = await come();
    const auction = connect<AuctionHub>(`${site.endpoint.url}/hubs/auctions`, {
      room: "group:state",
      token: () => site.endpoint.token("alice"),
    });
    clients.push({ [Symbol.dispose]: () => auction.close() });
    await auction.ready;
    await admin.signIn(await service());
    await admin.open("auctions", "group:state");
    const state = admin.panel("State").getByRole("region", { name: "State as JSON" });
    await expect.poll(() => state.textContent()).toContain('"price": 0');
  });
});
