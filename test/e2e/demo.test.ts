// The demo in a real Chromium against the real endpoint: what two people in one room see of each other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { launchBrowser } from "../support/browser.ts";
import { startEndpoint, type OwnEndpoint } from "../support/endpoint.ts";
import { visit, type Visit } from "./demo-page.ts";

let endpoint: OwnEndpoint;
let browser: Browser;
beforeAll(async () => {
  [endpoint, browser] = await Promise.all([
    startEndpoint({ vars: { DEV_TOKENS: "1" } }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

const visits: Visit[] = [];
afterEach(async () => {
  const over = visits.splice(0);
  await Promise.all(over.map((each) => each[Symbol.asyncDispose]()));
  const complaints = over.flatMap((each) => each.complaints);
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
});

async function come(options?: BrowserContextOptions, url = endpoint.url): Promise<Visit> {
  const made = await visit(browser, url, options);
  visits.push(made);
  return made;
}

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

  it("see markup as the text it is", async () => {
    const [alice, bob] = await pair("markup");
    const hostile = `<img src=x onerror="document.title='caught'"><script>alert(1)</script>`;
    await bob.say(hostile);
    await alice.log.getByText(hostile).waitFor();
    expect(await said(alice)).toEqual([hostile]);
    expect(await alice.log.locator("img, script").count()).toBe(0);
    expect(await alice.page.title()).toBe("#markup · Dormouse");
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

  it("are notified, one by another", async () => {
    const [alice, bob] = await pair("notify");
    await alice.page.getByRole("combobox", { name: "To" }).fill("bob");
    await alice.page.getByRole("textbox", { name: "Text" }).fill("Your nuts are ready.");
    await alice.page.getByRole("button", { name: "Notify" }).click();
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
    await expect.poll(points, { timeout: 10_000 }).toBeGreaterThan(2);
    await alice.page.getByRole("button", { name: "Pause" }).click();
    const paused = await points();
    await alice.page.waitForTimeout(1_500);
    expect(await points()).toBe(paused);
    await alice.page.getByRole("combobox", { name: "Symbol" }).selectOption("ACORN");
    await alice.page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(points, { timeout: 10_000 }).toBeGreaterThan(1);
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
    await frames.getByText('"method":"sendToRoom","params":["inspect","look at this"]').waitFor();
    await frames.getByText('"method":"$/connected"').first().waitFor();
    expect(await frames.textContent()).not.toContain("eyJ");
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
      endpoint.url,
      endpoint.url.replace("http", "ws"),
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

  it(
    "comes back after the server was killed, and hears what was said before it was there",
    { timeout: 120_000 },
    async () => {
      const [alice, bob] = await pair("kill");
      await alice.say("before");
      await bob.log.getByText("before").waitFor();
      await alice.page.context().setOffline(true);
      await endpoint.kill();
      await expect.poll(() => alice.state.textContent(), { timeout: 10_000 }).toBe("reconnecting");
      await endpoint.restart();
      const meanwhile = ["one", "two", "three"];
      await speak("kill", meanwhile);
      await alice.page.context().setOffline(false);
      // An attempt that the returning network still refuses is followed by the longest pause of the back-off: 30 s.
      await alice.log.getByText(/^Back: recovered \d+ messages\.$/).waitFor({ timeout: 40_000 });
      // Nobody told bob that the network is back: he finds out by himself.
      for (const each of [alice, bob]) {
        await expect.poll(() => said(each), { timeout: 40_000 }).toEqual(["before", ...meanwhile]);
        await expect.poll(() => each.state.textContent(), { timeout: 5_000 }).toBe("connected");
      }
      await bob.say("after");
      await alice.log.getByText("after").waitFor();
    },
  );
});

describe("a room that has lost its memory", () => {
  it("is loaded anew, and says so", { timeout: 120_000 }, async () => {
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
  await using carol = connect<ChatHub>(`${endpoint.url}/hubs/chat`, {
    room: `group:${room}`,
    token: () => endpoint.token("carol"),
  });
  for (const text of texts) await carol.invoke.sendToRoom(room, text);
}
