// What a hub does when a connection comes and goes.

import { runInDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished, vi } from "vitest";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { enter, type Joining } from "../../rooms/client.ts";
import { connected, open, relayOf, SignalR } from "../../rooms/relay/client.ts";
import { answer } from "../frames.ts";

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

it("calls begin after `connected` is done", async () => {
  const alice = await entering("greeting/group:order");
  await alice.call("note", ["called"]);
  expect((await alice.call("trace")).result).toEqual(["connected alice", "called"]);
});

it("`connected` may ask its client, which may call before it answers", async () => {
  const alice = await entering("greeting/group:asked");
  const { id } = await alice.said("confirm");
  await alice.call("note", ["called"]);
  alice.send(answer(id, true));
  const seen: string[] = [];
  while (seen.length < 2) seen.push(...((await alice.call("trace")).result as string[]));
  expect(seen).toEqual(["called", "connected alice"]);
});

it("a connection whose `connected` fails is closed with 4503, and told nothing of why", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const alice = await entering("greeting/group:failing");
  expect(await alice.closed).toEqual({ code: 4503, reason: "The hub could not begin." });
  expect(log).toHaveBeenCalledOnce();
  log.mockRestore();
});

it.each(["refusing", "refused elsewhere"])(
  "a connection whose `connected` throws a HubError is told its message: %s",
  async (room) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const alice = await entering(`greeting/group:${room}`);
    expect(await alice.closed).toEqual({ code: 4503, reason: "As asked." });
    expect(log.mock.calls).toEqual([[expect.stringContaining('"error":"As asked."')]]);
    log.mockRestore();
  },
);

it.each([
  ["as much of a long one as a close has room for", "wordy", `${"é😀".repeat(20)}é`],
  ["the usual one instead of none", "silent", "The hub could not begin."],
])("… %s", async (_, room, reason) => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const alice = await entering(`greeting/group:${room}`);
  expect(await alice.closed).toEqual({ code: 4503, reason });
  log.mockRestore();
});

it("`disconnected` runs once when a connection has gone, with its signal aborted", async () => {
  const alice = await entering("greeting/group:gone", { user: "alice" });
  const bob = await entering("greeting/group:gone", { user: "bob" });
  await alice.call("trace");
  await bob.call("trace");
  alice.socket.close(1000);
  await alice.closed;
  const seen: string[] = [];
  while (seen.length < 1) seen.push(...((await bob.call("trace")).result as string[]));
  await bob.call("note", ["barrier"]);
  seen.push(...((await bob.call("trace")).result as string[]));
  expect(seen).toEqual(["gone alice undefined true", "barrier"]);
});

it("a call that a crash cut off while `connected` ran is answered when its client resumes", async () => {
  const joining = { user: "slow-crash", query: "useStatefulReconnect=true", version: 2 };
  const { id, token, socket } = await connected("ordered", joining);
  const relay = relayOf("ordered", id);
  const call = { type: 1, invocationId: "early", target: "TraceOf", arguments: ["alice"] };
  socket.send(`${JSON.stringify(call)}\u001e`);
  const received = () =>
    runInDurableObject(relay, (one) => {
      const { parts } = one as unknown as { parts: RelayParts };
      return parts.connections.get(id)!.resumable!.receivedCount;
    });
  await expect.poll(received).toBe(1);
  await runInDurableObject(relay, (_, state) => state.abort("a crash")).catch(() => {});
  const { webSocket } = await open("ordered", token, joining);
  using again = new SignalR(webSocket!, { connectionId: id, connectionToken: token }, true);
  const { error } = await again.record(({ type }) => type === 3);
  expect(error).toContain("The server lost this call; call again.");
});
