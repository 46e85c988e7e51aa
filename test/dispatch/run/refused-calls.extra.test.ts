// Refused calls in the log: where they are asked for, one line each, with the place of a refused argument.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter, roomAt } from "../../rooms/client.ts";
import { connected, relayOf } from "../../rooms/relay/client.ts";

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "debug").mockImplementation(
    (line: string) => void lines.push(JSON.parse(line)),
  );
});
afterEach(() => void vi.restoreAllMocks());

/** A client at a relay whose worker logs refused calls, or not; and is one of a developer, or not. */
async function logging(LOG_REFUSED_CALLS?: string, DEVELOPMENT?: string) {
  const client = await connected("relayed", { user: "alice" });
  await setting(relayOf("relayed", client.id), { LOG_REFUSED_CALLS, DEVELOPMENT });
  return client;
}

const setting = (stub: unknown, vars: Record<string, string | undefined>) =>
  runInDurableObject(stub as DurableObjectStub, (object) => {
    const { host } = object as unknown as { host: { env: object } };
    host.env = { ...env, ...vars };
  });

it("names the method, the code and the argument's place, and not its value", async () => {
  using alice = await logging("1");
  await alice.call("Say", 7, "a secret");
  await alice.call("SayTo", ["id", 8], "a secret");
  await alice.call("None");
  await alice.call("Leave", "x", "y");
  expect(lines.map(({ method, code, reason }) => [method, code, reason])).toEqual([
    ["relayed.say", "invalid_arguments", expect.stringMatching(/^Argument 1: /)],
    ["relayed.sayTo", "invalid_arguments", expect.stringMatching(/^Argument 1 \(1\): /)],
    ["None", "method_not_found", "Hub relayed has no such method."],
    ["relayed.leave", "invalid_arguments", "2 arguments; 1 expected."],
  ]);
  expect(lines[0]).toMatchObject({ level: "debug", event: "call_refused", hub: "relayed" });
  expect(JSON.stringify(lines)).not.toContain("secret");
});

it("writes nothing where it is not asked for", async () => {
  using alice = await logging();
  expect((await alice.call("None")).error).toBeDefined();
  expect(lines).toEqual([]);
});

it("has what was expected and what came in development, and tells SignalR's clients", async () => {
  using alice = await logging("1", "1");
  expect((await alice.call("SayTo", ["id", 8], "a secret")).error).toMatch(
    /^Failed to invoke 'SayTo' due to an error on the server\. InvalidDataException: Error binding arguments\..*being invoked\. Argument 1 \(1\): .*expected string, received number/,
  );
  await alice.call("None");
  expect(lines[1]).toMatchObject({ code: "method_not_found", received: "None" });
  expect(lines[1]!["expected"]).toContain("sayTo");
  expect(JSON.stringify(lines)).not.toContain("secret");
});

it("names the action of `$/run`, and the hub's actions where there is none of that name", async () => {
  const room = `auctions/group:${crypto.randomUUID()}`;
  using alice = await enter(room);
  await setting(roomAt(room), { LOG_REFUSED_CALLS: "1", DEVELOPMENT: "1" });
  await alice.call("$/run", { action: "bid", params: [-1] });
  const { error } = await alice.call("$/run", { action: "buy", params: [1] });
  expect(error?.message).toBe("Hub auctions has no such action in rooms of kind group.");
  await alice.call("buy", [1]);
  expect(lines).toMatchObject([
    { method: "auctions.bid" },
    { method: "auctions.buy", code: "method_not_found", received: "buy" },
    { method: "buy", code: "method_not_found", received: "buy" },
  ]);
  for (const { expected } of lines.slice(1)) expect(expected).toContain("bid");
});
