// Refused calls in the log: where they are asked for, one line each, with the place of a refused argument.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
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
  await runInDurableObject(relayOf("relayed", client.id), (relay) => {
    const { host } = relay as unknown as { host: { env: object } };
    host.env = { ...env, LOG_REFUSED_CALLS, DEVELOPMENT };
  });
  return client;
}

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
