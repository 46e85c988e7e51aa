// Limits at relays that count only what a client does, as ASP.NET Core's users expect.

import { expect, it } from "vitest";
import { connected, negotiate, open, SignalR } from "./client.ts";

const RS = "\u001e";

it("a connection of one group has one beside its user's own room", async () => {
  const claims = { limits: { groupsPerConnection: 1 } };
  using alice = await connected("relayed", { user: "one-group", claims });
  expect((await alice.call("Join", "only")).error).toBeUndefined();
  expect((await alice.call("Join", "more")).error).toContain("most");
  await alice.call("SayUser", "one-group", "in my own room");
  await alice.hears("in my own room");
  await alice.call("Leave", "only");
  expect((await alice.call("Join", "more")).error).toBeUndefined();
});

it("a thousand calls in one frame are made where the hub allows as many", async () => {
  using alice = await connected("generous");
  const calls = Array.from({ length: 1_000 }, (_, at) => ({
    ...{ type: 1, invocationId: `k${at}`, target: "Kept", arguments: ["none"] },
  }));
  alice.socket.send(calls.map((call) => JSON.stringify(call) + RS).join(""));
  await alice.record(({ invocationId }) => invocationId === "k999");
  const answers = alice.heard.filter(({ type }) => type === 3);
  expect(answers.map(({ invocationId, error }) => [invocationId, error])).toEqual(
    calls.map(({ invocationId }) => [invocationId, undefined]),
  );
});

it("a client that sends megabytes with its handshake is closed before they wait", async () => {
  const seat = await negotiate("relayed", { user: "bulky" });
  const { webSocket } = await open("relayed", seat.connectionToken, { user: "bulky" });
  using bulky = new SignalR(webSocket!, seat);
  const ping = `{"type":6}${" ".repeat(10_000)}${RS}`;
  bulky.socket.send(`{"protocol":"json","version":1}${RS}${ping.repeat(200)}`);
  const { error } = await bulky.record(({ type }) => type === 7);
  expect(error).toBe("Connection closed with an error.");
});
