// What no stock client sends after its handshake: frames that end a connection, and frames that must not.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { call, greeted, message, PING, type RawClient } from "./raw.ts";

let endpoint: Endpoint;
let bystander: RawClient;
beforeAll(async () => {
  endpoint = await sharedTestEndpoint();
  bystander = await greeted(endpoint, { user: "bystander" });
});
afterAll(async () => {
  bystander[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

/** Somebody else at the same relay, whom nothing of it harms. */
let calls = 0;
afterEach(async () => {
  const invocationId = `${++calls}`;
  bystander.send(call(invocationId, "Echo", "alive"));
  const heard = JSON.stringify(await bystander.next());
  if (heard !== JSON.stringify({ type: 3, invocationId, result: "alive" })) throw new Error(heard);
});

const ENDED = "Connection closed with an error.";

describe("a connection", () => {
  it.each<[what: string, bytes: () => string, detail: string]>([
    ["what is no JSON", () => "no json\u001e", "Error reading JSON."],
    [
      "what is no object",
      () => message(1),
      "Unexpected JSON Token Type 'Number'. Expected a JSON Object.",
    ],
    [
      "a call of nothing",
      () => message({ type: 1, arguments: [] }),
      "Missing required property 'target'.",
    ],
    ["no type", () => message({}), "Missing required property 'type'."],
    [
      "both a result and an error",
      () => message({ type: 3, invocationId: "1", result: 1, error: "x" }),
      "The 'error' and 'result' properties are mutually exclusive.",
    ],
    [
      "an item without one",
      () => message({ type: 2, invocationId: "1" }),
      "Missing required property 'item'.",
    ],
    [
      "a message too large",
      () => message(call("1", "Echo", "x".repeat(40_000))),
      "The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.",
    ],
    [
      "a message that does not end",
      () => "x".repeat(40_000),
      "The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.",
    ],
    ["100,000 messages at once", () => PING.repeat(100_000), "Frame of more than 1000 messages."],
  ])("ends with %s, and may come back", async (_, bytes, detail) => {
    using plain = await greeted(endpoint);
    plain.sendBytes(bytes());
    const { said, code } = await plain.rest();
    expect([said.at(-1), code]).toEqual([{ type: 7, error: ENDED, allowReconnect: true }, 1000]);
    using detailed = await greeted(endpoint, { hub: "signalr-detailed" });
    detailed.sendBytes(bytes());
    expect((await detailed.rest()).said.at(-1)).toEqual({
      ...{ type: 7, allowReconnect: true },
      error: `${ENDED} InvalidDataException: ${detail}`,
    });
  });

  it("takes messages in pieces, and one that is cut off by its close for none", async () => {
    using raw = await greeted(endpoint);
    const text = message(call("1", "Echo", "ü"));
    const bytes = new TextEncoder().encode(text);
    for (const byte of bytes) raw.sendBytes(Uint8Array.of(byte));
    expect(await raw.next()).toEqual({ type: 3, invocationId: "1", result: "ü" });
    raw.sendBytes(text.slice(0, 20));
    raw.socket.close(1000);
    expect(await raw.rest()).toEqual({ said: [], code: 1000 });
  });

  it("ends as its client says, without an answer to what came after", async () => {
    using raw = await greeted(endpoint);
    raw.send({ type: 7 }, call("1", "Echo", "late"));
    expect(await raw.rest()).toEqual({ said: [{ type: 7 }], code: 1000 });
  });

  it("ignores what it does not know, and what is for nothing that is open", async () => {
    using raw = await greeted(endpoint);
    raw.send(
      { type: 99, future: true },
      { type: 2, invocationId: "none", item: 1 },
      { type: 3, invocationId: "none", result: 1 },
      { type: 3, invocationId: "s1", error: "nobody asked" },
      { type: 5, invocationId: "none" },
      { ...call("1", "Echo", "alive"), future: true },
    );
    expect(await raw.next()).toEqual({ type: 3, invocationId: "1", result: "alive" });
  });

  it("has one stream of an id, which calls may share", async () => {
    using raw = await greeted(endpoint);
    raw.send({ ...call("1", "Sum"), streamIds: ["s"] }, { ...call("2", "Sum"), streamIds: ["s"] });
    expect(await raw.next()).toEqual({
      ...{ type: 3, invocationId: "2" },
      error: "Invocation ID 's' is already in use.",
    });
    raw.send({ ...call("1", "Counter", 1, 0), type: 4 });
    expect([await raw.next(), await raw.next()]).toEqual([
      { type: 2, invocationId: "1", item: 1 },
      { type: 3, invocationId: "1" },
    ]);
    raw.send({ type: 2, invocationId: "s", item: 5 }, { type: 3, invocationId: "s" });
    expect(await raw.next()).toEqual({ type: 3, invocationId: "1", result: 5 });
    raw.send({ type: 2, invocationId: "s", item: 6 }, { ...call("1", "Sum"), streamIds: ["s"] });
    raw.send({ type: 3, invocationId: "s" });
    expect(await raw.next()).toEqual({ type: 3, invocationId: "1", result: 0 });
  });

  it("completes a stream that is cancelled, once and without an error", async () => {
    using raw = await greeted(endpoint);
    raw.send({ ...call("1", "Counter", 1_000, 60_000), type: 4 });
    expect(await raw.next()).toEqual({ type: 2, invocationId: "1", item: 1 });
    raw.send({ type: 5, invocationId: "1" }, { type: 5, invocationId: "1" }, call("2", "Echo", 0));
    expect([await raw.next(), await raw.next()]).toEqual([
      { type: 3, invocationId: "1" },
      { type: 3, invocationId: "2", result: 0 },
    ]);
  });

  it("is called by its methods' names in PascalCase, without an id and without nulls", async () => {
    using raw = await greeted(endpoint);
    raw.send(call("1", "Join", "here"), call("2", "Say", "here", "hi"));
    const heard = [await raw.next(), await raw.next(), await raw.next()];
    expect(heard).toContainEqual({ type: 1, target: "Said", arguments: ["hi"] });
  });
});
