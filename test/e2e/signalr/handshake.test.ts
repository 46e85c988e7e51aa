// The first message of a connection, as no stock client sends it (docs/design/signalr-wire.md#hs1).

import { HubConnectionBuilder, JsonHubProtocol, LogLevel } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { messageOf } from "./connections.ts";
import { call, HANDSHAKE, message, open } from "./raw.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const MALFORMED = "An unexpected error occurred during connection handshake.";

describe("a handshake", () => {
  it.each<[what: string, frame: string, error: string]>([
    [
      "an unknown protocol",
      message({ protocol: "xml", version: 1 }),
      "The protocol 'xml' is not supported.",
    ],
    [
      "a version to come",
      message({ protocol: "json", version: 3 }),
      "The server does not support version 3 of the 'json' protocol.",
    ],
    ["what is no JSON", "hello\u001e", MALFORMED],
    ["what is no object", message([1]), MALFORMED],
    ["no protocol", message({ version: 1 }), MALFORMED],
    ["a hub message", message(call("1", "Echo", 0)), MALFORMED],
    ["more than a message may have", "x".repeat(40_000), "Handshake was canceled."],
  ])("is refused for %s, without a Close message", async (_, frame, error) => {
    using raw = await open(endpoint);
    raw.sendBytes(frame);
    expect(await raw.rest()).toEqual({ said: [{ error }], code: 1000 });
  });

  it("shows details where the hub does", async () => {
    using raw = await open(endpoint, { hub: "signalr-detailed" });
    raw.sendBytes("hello\u001e");
    expect(await raw.rest()).toEqual({
      said: [{ error: `${MALFORMED} InvalidDataException: Error reading JSON.` }],
      code: 1000,
    });
  });

  it("is waited for no longer than the hub says", async () => {
    using raw = await open(endpoint, { hub: "signalr-hasty" });
    // Its beginning, because workerd (2026-11-17) sees a Close frame that is the first of all 10 s late.
    raw.sendBytes(HANDSHAKE.slice(0, 5));
    expect(await raw.rest()).toEqual({ said: [{ error: "Handshake was canceled." }], code: 1000 });
  });

  it("comes in pieces, in bytes, and with what follows it", async () => {
    using raw = await open(endpoint);
    const all = new TextEncoder().encode(HANDSHAKE + message(call("1", "Echo", "early")));
    for (const [start, end] of [
      [0, 5],
      [5, 40],
      [40, all.length],
    ])
      raw.sendBytes(all.subarray(start, end));
    expect([await raw.next(), await raw.next()]).toEqual([
      {},
      { type: 3, invocationId: "1", result: "early" },
    ]);
  });

  it("that is refused is shown by the stock client", async () => {
    const token = await endpoint.token("alice");
    const connection = new HubConnectionBuilder()
      .withUrl(`${endpoint.url}/hubs/signalr`, { accessTokenFactory: () => token })
      .withHubProtocol(Object.assign(new JsonHubProtocol(), { name: "xml" }))
      .configureLogging(LogLevel.None)
      .build();
    expect(await messageOf(connection.start())).toBe(
      "Server returned handshake error: The protocol 'xml' is not supported.",
    );
  });
});
