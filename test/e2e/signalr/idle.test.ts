// A connection at rest: its pings are answered, and it is there when somebody speaks.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedEndpoint } from "../../support/shared-endpoint.ts";
import { ROWS, visit } from "./connections.ts";
import { call, greeted, PING } from "./raw.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const isLong = process.env["DORMOUSE_LONG"] === "1";
const IDLE_MS = 90_000;

describe("a connection at rest", () => {
  it("has each of its pings answered by one, and is there afterwards", async () => {
    using raw = await greeted(endpoint, { hub: "chat" });
    for (let beat = 1; beat <= 3; beat++) {
      raw.sendBytes(PING);
      expect(await raw.next()).toEqual({ type: 6 });
    }
    raw.send(call("1", "LeaveRoom", "nowhere"));
    expect(await raw.next()).toEqual({ type: 3, invocationId: "1", result: null });
  });

  it("may ping in bytes, and in one frame with what else it says", async () => {
    using raw = await greeted(endpoint, { hub: "chat" });
    raw.sendBytes(new TextEncoder().encode(PING));
    expect(await raw.next()).toEqual({ type: 6 });
    raw.send({ type: 6 }, call("1", "LeaveRoom", "nowhere"), { type: 6 });
    const heard = [await raw.next(), await raw.next(), await raw.next()];
    expect(heard).toContainEqual({ type: 3, invocationId: "1", result: null });
    expect(heard.filter((one) => (one as { type: number }).type === 6)).toHaveLength(2);
  });
});

describe.runIf(isLong).concurrent("a stock client at rest, by its own settings", () => {
  it.for(ROWS)("stays for 90 s: $name", { timeout: IDLE_MS + 30_000 }, async (row, { expect }) => {
    await using alice = await visit({ endpoint, row, hub: "chat" }, { hears: ["ReceiveMessage"] });
    const rest = new Promise((resolve) => setTimeout(resolve, IDLE_MS, "still here"));
    expect(await Promise.race([alice.closed, rest])).toBe("still here");
    await alice.invoke("JoinRoom", row.name);
    await alice.invoke("SendToRoom", row.name, "good morning");
    expect(await alice.next("ReceiveMessage")).toEqual(["alice", "good morning"]);
  });
});
