// The admin page before names that strangers chose: markup stays text, and a press means what is written on it.

import { expect, it, onTestFinished } from "vitest";
import { connect, type Connection } from "../../src/client/index.ts";
import type { AuctionHub } from "../../src/hubs/auction.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { stateOf } from "../../src/state/index.ts";
import { sharedPages } from "../support/shared-endpoint.ts";
import { browsing } from "./browsing.ts";
import { visitAdmin, type AdminVisit } from "./admin-page.ts";

const MARKUP = `<img src=x onerror="document.title='caught'"><script>alert(1)</script>`;

const site = browsing(visitAdmin, sharedPages, true);
const { come } = site;

async function signedIn(): Promise<AdminVisit> {
  const made = await come();
  await made.signIn(await site.endpoint.token("operator", { role: "service" }));
  return made;
}

/** Somebody in a room of the chat. */
async function chatter(room: string, user: string): Promise<Connection<ChatHub>> {
  const made = connect<ChatHub>(`${site.endpoint.url}/hubs/chat`, {
    room: `group:${room}`,
    token: () => site.endpoint.token(user),
  });
  onTestFinished(() => made.close());
  await made.ready;
  return made;
}

it("shows markup in names of rooms, users and messages as the text it is", async () => {
  const mallory = await chatter(MARKUP, MARKUP);
  await mallory.invoke.sendToRoom(MARKUP, MARKUP);
  const { page, panel, open, complaints } = await signedIn();
  await open("chat");
  const rooms = panel("Rooms").getByRole("link", { name: `group:${MARKUP}` });
  await expect
    .poll(
      async () => {
        await panel("Rooms").getByRole("button", { name: "Refresh" }).click();
        return rooms.count();
      },
      { timeout: 40_000 },
    )
    .toBe(1);
  await rooms.click();
  await page.getByRole("heading", { name: `group:${MARKUP}`, level: 1 }).waitFor();
  await panel("Present").getByText(MARKUP, { exact: true }).waitFor();
  await page.getByRole("log").getByText("receiveMessage").waitFor();
  await page.getByRole("button", { name: `Ban ${MARKUP}` }).click();
  await page.getByRole("dialog").getByText(`Ban ${MARKUP}`).waitFor();
  expect(await page.locator("main img, main script, dialog img, dialog script").count()).toBe(0);
  expect(await page.title()).toBe(`group:${MARKUP} · Dormouse admin`);
  expect(complaints).toEqual([]);
});

it("shows markup in a room's state as the text it is", async () => {
  const auction = connect<AuctionHub>(`${site.endpoint.url}/hubs/auctions`, {
    room: "group:markup",
    token: () => site.endpoint.token(MARKUP),
  });
  onTestFinished(() => auction.close());
  await auction.ready;
  await stateOf(auction, "group:markup").run.bid(1);
  const { page, panel, open, complaints } = await signedIn();
  await open("auctions", "group:markup");
  const state = panel("State").getByRole("region", { name: "State as JSON" });
  await expect.poll(() => state.textContent()).toContain(JSON.stringify(MARKUP));
  expect(await page.locator("main img, main script").count()).toBe(0);
  // The same state, read again, takes no selection away.
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector(".state pre"))`);
  const selected = () => page.evaluate<string>("getSelection().toString()");
  const { length } = await selected();
  await page.waitForResponse(/markup\/state$/);
  await page.waitForResponse(/markup\/state$/);
  expect([length > 0, (await selected()).length]).toEqual([true, length]);
  expect(complaints).toEqual([]);
});

it("shows the hub where a link names two dots as its room", async () => {
  const { page, open } = await signedIn();
  await open("chat", "group:lobby");
  await page.evaluate(`location.hash = "#/chat/%2e%2e"`);
  await page.getByRole("heading", { name: "chat", level: 1 }).waitFor();
  expect(await page.getByRole("button", { name: "Disconnect all" }).count()).toBe(0);
});
