// What hub code sends to a connection itself while publications of its calls are under way: in order, and within what
// the connection may hold.

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { slow } from "./attacking.ts";
import { connected, relayOf, type SignalR } from "./client.ts";

const RS = "\u001e";
const HUB = "ordered";

/** In one frame: streams are called as such. */
function callTogether(client: SignalR, calls: readonly (readonly unknown[])[]): void {
  const records = calls.map(([target, ...args], at) => {
    const type = target === "TellThenYield" ? 4 : 1;
    return JSON.stringify({ type, invocationId: `${at}`, target, arguments: args }) + RS;
  });
  client.socket.send(records.join(""));
}

const heardBy = ({ heard }: SignalR, from: number): string[] =>
  heard
    .slice(from)
    .map(({ type, target, invocationId, ...record }) =>
      target ? `${target} ${String(record["arguments"]?.[0])}` : `${type} of ${invocationId}`,
    );

it("a question and a message of one call come in their order", async () => {
  using alice = await connected(HUB, { user: "asker" });
  const from = alice.heard.length;
  callTogether(alice, [["AskThenTell", "later"]]);
  const { invocationId } = await alice.record(({ target }) => target === "Confirm");
  await alice.hears("later");
  alice.say({ type: 3, invocationId, result: true });
  expect(heardBy(alice, from)).toEqual(["Confirm Heard?", "Said later"]);
});

it("an item of a stream comes behind what the stream has sent before it", async () => {
  using alice = await connected(HUB, { user: "streamer" });
  await alice.call("Join", "streamed");
  const from = alice.heard.length;
  callTogether(alice, [
    ["Say", "streamed", "first"],
    ["TellThenYield", "told"],
  ]);
  await alice.record(({ type, invocationId }) => type === 3 && invocationId === "1");
  await alice.record(({ type, invocationId }) => type === 3 && invocationId === "0");
  const told = heardBy(alice, from);
  expect(told.indexOf("Said told")).toBeLessThan(told.indexOf("2 of 1"));
});

it("an item of a stream comes behind what a call that still runs has published before it", async () => {
  using alice = await connected(HUB, { user: "publisher" });
  await alice.call("Join", "behind");
  const from = alice.heard.length;
  const { held, letGo } = await slow(`${HUB}/group:behind`, "publishAs");
  callTogether(alice, [["SayThenWait", "behind", "first"]]);
  await held();
  alice.say({ type: 4, invocationId: "1", target: "Ticker", arguments: [] });
  // Its trace shows that the stream has begun.
  using observer = await connected(HUB, { user: "observer" });
  await expect
    .poll(async () => (await observer.call("TraceOf", "publisher")).result as string[])
    .toContain("ticker begins");
  letGo();
  await alice.record(({ type, invocationId }) => type === 3 && invocationId === "1");
  expect(heardBy(alice, from)).toEqual(["Said first", "2 of 1", "3 of 1"]);
  await observer.call("Open", "behind");
});

it("a question that waits for a room fails at once where its client leaves meanwhile", async () => {
  const alice = await connected(HUB, { user: "leaver" });
  await alice.call("Join", "left");
  const { held, letGo } = await slow(`${HUB}/group:left`, "publishAs");
  callTogether(alice, [["SayThenAskTraced", "left", "x"]]);
  await held();
  alice.socket.close(1000);
  await alice.closed;
  letGo();
  using observer = await connected(HUB, { user: "observer" });
  await expect
    .poll(async () => (await observer.call("TraceOf", "leaver")).result as string[])
    .toContainEqual(expect.stringMatching("ask failed: connection_not_found"));
});

it("messages that wait for a room that is slow count as held, and later calls wait", async () => {
  using alice = await connected(HUB, { user: "hoarder" });
  await alice.call("Join", "hung");
  const { held, letGo } = await slow(`${HUB}/group:hung`, "publishAs");
  callTogether(alice, [["Say", "hung", "x"]]);
  await held();
  callTogether(
    alice,
    Array.from({ length: 40 }, () => ["TellLarge", 200_000]),
  );
  const unsent = () =>
    runInDurableObject(relayOf(HUB, alice.id), (object) => {
      const { parts } = object as unknown as { parts: Pick<RelayParts, "connections"> };
      const { flow } = parts.connections.get(alice.id)!;
      return flow.unsent;
    });
  await expect.poll(unsent).toBeGreaterThan(400_000);
  expect(await unsent()).toBeLessThan(2_000_000);
  letGo();
  await alice.record(({ type, invocationId }) => type === 3 && invocationId === "39");
});
