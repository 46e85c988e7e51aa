// The demo in a real Chromium against the real endpoint: what two people in one room see of each other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connect } from "../../src/client/index.ts";
import type { DemoHub } from "../../src/hubs/demo.ts";
import { startEndpoint } from "../support/endpoint.ts";
import { browsing } from "./browsing.ts";
import { visit, type Visit } from "./demo-page.ts";
import { TOKEN_TEXT } from "../support/token-text.ts";

const site = browsing(visit, () => startEndpoint({ vars: { DEV_TOKENS: "1" } }));
const { come } = site;

/** Two people in one room. */
async function pair(room: string): Promise<[Visit, Visit]> {
  const [alice, bob] = await Promise.all([come(), come()]);
  await alice.enter("alice", room);
  await bob.enter("bob", room, "guest");
  return [alice, bob];
}

const said = ({ log }: Visit): Promise<string[]> => log.locator(".text").allTextContents();

describe("two people in one room", () => {
  it("see each other's messages, and what was said before they came", async () => {
    const alice = await come();
    await alice.enter("alice", "talk");
    await alice.say("anybody?");
    const bob = await come();
    await bob.enter("bob", "talk");
    await bob.say("me");
    for (const each of [alice, bob]) {
      await each.log.getByText("me", { exact: true }).waitFor();
      expect(await said(each)).toEqual(["anybody?", "me"]);
    }
  });

  it("see who is here, who comes and who leaves", async () => {
    const [alice, bob] = await pair("presence");
    await alice.log.getByText("bob came in").waitFor();
    await expect
      .poll(() => alice.here.locator("span:last-child").allTextContents())
      .toEqual(["alice", "bob"]);
    await bob.page.getByRole("button", { name: "Leave" }).click();
    await alice.log.getByText("bob left").waitFor();
    await expect
      .poll(() => alice.here.locator("span:last-child").allTextContents())
      .toEqual(["alice"]);
    await alice.page.getByText("only you are here").waitFor();
  });

  it("see markup as the text it is, whatever it names", async () => {
    const hostile = `<img src=x onerror=document.title="x">`;
    const [alice, bob] = await Promise.all([come(), come()]);
    await alice.enter("alice", hostile);
    await bob.enter(hostile, hostile);
    await bob.say(hostile);
    await alice.log.locator(".text").getByText(hostile).waitFor();
    expect(await said(alice)).toEqual([hostile]);
    await bob.page.getByRole("button", { name: "10 more" }).click();
    await alice.page.getByText(`${hostile} leads`, { exact: true }).waitFor();
    await bob.page.getByRole("combobox", { name: "To" }).fill("alice");
    await bob.page.getByRole("textbox", { name: "Text" }).fill(hostile);
    await bob.page.getByRole("button", { name: "Notify", exact: true }).click();
    await alice.page.locator(".toast").getByText(`From ${hostile}`).waitFor();
    await expect
      .poll(() => alice.here.locator("span:last-child").allTextContents())
      .toEqual([hostile, "alice"]);
    await alice.page.getByText("Protocol inspector").click();
    await alice.page.locator("#frames").getByText("receiveNotification").first().waitFor();
    expect(await alice.page.locator("img, script:not([src])").count()).toBe(0);
    expect(await alice.page.title()).toBe(`#${hostile} · Dormouse`);
  });

  it("see an order change when a manager changes it, and only then", async () => {
    const [alice, bob] = await pair("order");
    for (const status of ["placed", "sent"]) {
      await alice.page.getByRole("button", { name: status }).click();
      await bob.page.getByRole("button", { name: status, pressed: true }).waitFor();
      await bob.page.locator("#order-status").getByText(status).waitFor();
    }
    await bob.page.getByRole("button", { name: "delivered" }).click();
    await bob.page.getByText("Only a manager may change an order.").waitFor();
    const pressed = alice.page.getByRole("button", { name: /./, pressed: true });
    expect(await pressed.allTextContents()).toEqual(["sent"]);
  });

  it("bid against each other, and see the same price and the same leader", async () => {
    const [alice, bob] = await pair("auction");
    const auction = ({ page }: Visit) => page.getByRole("region", { name: "A hazelnut" });
    const bid = (who: Visit, name: string) => auction(who).getByRole("button", { name }).click();
    const shown = async (who: Visit) => [
      await auction(who).locator("#auction-price").textContent(),
      await auction(who).locator("#auction-status").textContent(),
    ];
    await bid(alice, "10 more");
    await expect.poll(() => shown(bob)).toEqual(["10", "alice leads"]);
    expect(await shown(alice)).toEqual(["10", "you lead"]);
    await bid(bob, "Bid 1 more");
    await expect.poll(() => shown(alice)).toEqual(["11", "bob leads"]);
    await alice.page.locator(".toast").getByText("11 for a hazelnut").waitFor();
    await expect.poll(() => auction(alice).locator("#auction-seconds").textContent()).toMatch(/s$/);
    // Both at once, the same amount: the room decides for one of them, and both see which.
    await Promise.all([bid(alice, "Bid 1 more"), bid(bob, "Bid 1 more")]);
    await expect.poll(async () => (await shown(alice))[0]).toMatch(/^1[23]$/);
    const leaders = async () =>
      [(await shown(alice))[1], (await shown(bob))[1]].map(String).toSorted().join(", ");
    // Until the room has judged, each of them may see its own bid.
    await expect.poll(leaders).toMatch(/^(alice leads, you lead|bob leads, you lead)$/);
    expect((await shown(alice))[0]).toBe((await shown(bob))[0]);
  });

  it("are notified, one by another", async () => {
    const [alice, bob] = await pair("notify");
    await alice.page.getByRole("combobox", { name: "To" }).fill("bob");
    await alice.page.getByRole("textbox", { name: "Text" }).fill("Your nuts are ready.");
    await alice.page.getByRole("button", { name: "Notify", exact: true }).click();
    await bob.page.locator(".toast").getByText("Your nuts are ready.").waitFor();
    await bob.page.getByRole("button", { name: "Dismiss" }).click();
    expect(await bob.page.locator(".toast").count()).toBe(0);
    await bob.page.locator("#inbox").getByText("From alice Your nuts are ready.").waitFor();
    expect(await alice.page.locator("#inbox li").count()).toBe(0);
  });
});

describe("one person", () => {
  it("sees the price as a line that moves until it is paused", async () => {
    const alice = await come();
    await alice.enter("alice", "prices");
    const line = alice.page.locator("#chart-line");
    const points = async () => (await line.getAttribute("d"))?.split("L").length ?? 0;
    await expect.poll(points).toBeGreaterThan(2);
    await alice.page.getByRole("button", { name: "Pause" }).click();
    const paused = await points();
    await alice.page.waitForTimeout(1_500);
    expect(await points()).toBe(paused);
    // The line of another symbol begins, and moves.
    await alice.page.getByRole("combobox", { name: "Symbol" }).selectOption("ACORN");
    await expect.poll(points).toBeGreaterThan(1);
  });

  it("sees where the connection stands, and each frame without its token", async () => {
    const alice = await come();
    await alice.enter("alice", "inspect");
    await alice.page.getByText("Protocol inspector").click();
    await alice.say("look at this");
    const chat = alice.page.locator(".nest").filter({ hasText: "group:inspect" });
    await expect.poll(() => chat.locator(".position").textContent()).toMatch(/^\w{4}…:[3-9]$/);
    expect(await chat.locator(".connection").textContent()).toBe("connected");
    await expect.poll(() => chat.locator(".rate").textContent()).not.toBe("0.0 /s");
    const frames = alice.page.locator("#frames");
    await frames.getByText('"params":["inspect","look at this"]').waitFor();
    await frames.getByText('"method":"$/connected"').first().waitFor();
    expect(await frames.textContent()).not.toMatch(TOKEN_TEXT);
  });

  it("sees the room fall asleep once it is quiet, and wake", async () => {
    const alice = await come();
    await alice.page.clock.install();
    await alice.page.reload();
    await alice.enter("alice", "sleep");
    // An attempt would take the leap in time for its own.
    await expect.poll(() => alice.page.getByText("connected", { exact: true }).count()).toBe(5);
    const mood = () => alice.page.locator("body").getAttribute("data-mood");
    await expect.poll(mood).toBe("awake");
    await alice.page.clock.fastForward(12_000);
    await expect.poll(mood).toBe("asleep");
    await alice.page.getByText("most likely asleep, and costs nothing").waitFor();
    await alice.say("good morning");
    await alice.log.getByText("good morning").waitFor();
    await alice.page.clock.fastForward(600);
    await expect.poll(mood).toBe("awake");
  });

  it("asks no other server for anything", async () => {
    const alice = await come();
    await alice.enter("alice", "alone");
    await alice.page.locator("#chart-line[d]").waitFor({ state: "attached" });
    expect([...alice.origins].toSorted()).toEqual([
      site.endpoint.url,
      site.endpoint.url.replace("http", "ws"),
    ]);
  });
});

describe("a connection that is lost", () => {
  it("goes offline by a button, and recovers what was said meanwhile", async () => {
    const [alice, bob] = await pair("offline");
    await alice.page.getByRole("button", { name: "Go offline" }).click();
    await expect.poll(() => alice.state.textContent()).toBe("reconnecting");
    for (const text of ["one", "two"]) await bob.say(text);
    await bob.log.getByText("two").waitFor();
    await alice.say("mine waits");
    await alice.page.getByRole("button", { name: "Come back" }).click();
    await alice.log.getByText("Back: recovered 2 messages.").waitFor();
    await expect.poll(() => said(alice)).toEqual(["one", "two", "mine waits"]);
    await bob.log.getByText("mine waits").waitFor();
  });

  it("comes back after the server was killed, and hears what was said before it was there", async () => {
    const [alice, bob] = await pair("kill");
    await alice.say("before");
    await bob.log.getByText("before").waitFor();
    await alice.page.context().setOffline(true);
    await site.endpoint.kill();
    await expect.poll(() => alice.state.textContent()).toBe("reconnecting");
    await site.endpoint.restart();
    const meanwhile = ["one", "two", "three"];
    await speak("kill", meanwhile);
    await alice.page.context().setOffline(false);
    // An attempt that the returning network still refuses is followed by the longest pause of the back-off: 30 s.
    await alice.log.getByText(/^Back: recovered \d+ messages\.$/).waitFor({ timeout: 40_000 });
    // Nobody told bob that the network is back: he finds out by himself.
    for (const each of [alice, bob]) {
      await expect.poll(() => said(each), { timeout: 40_000 }).toEqual(["before", ...meanwhile]);
      await expect.poll(() => each.state.textContent()).toBe("connected");
    }
    await bob.say("after");
    await alice.log.getByText("after").waitFor();
  });
});

describe("a room that has lost its memory", () => {
  it("is loaded anew, and says so", async () => {
    const persistTo = mkdtempSync(join(tmpdir(), "dormouse-demo-"));
    const forgetful = await startEndpoint({ vars: { DEV_TOKENS: "1" }, persistTo });
    try {
      const alice = await come({}, forgetful.url);
      await alice.enter("alice", "memory");
      await alice.say("remember me");
      await alice.page.getByRole("button", { name: "packed" }).click();
      await alice.page.getByRole("button", { name: "packed", pressed: true }).waitFor();
      await forgetful.kill();
      rmSync(persistTo, { recursive: true });
      await forgetful.restart();
      await alice.log.getByText("too late to catch up: reloaded").waitFor({ timeout: 40_000 });
      expect(await said(alice)).toEqual([]);
      await alice.page.locator("#order-status").getByText("no status yet").waitFor();
    } finally {
      await forgetful[Symbol.asyncDispose]();
      rmSync(persistTo, { recursive: true, force: true });
    }
  });
});

/** Somebody who is there at once. */
async function speak(room: string, texts: readonly string[]): Promise<void> {
  await using carol = connect<DemoHub>(`${site.endpoint.url}/hubs/demo`, {
    room: `group:${room}`,
    token: () => site.endpoint.token("carol"),
  });
  for (const text of texts) await carol.invoke.sendToRoom(room, text);
}
