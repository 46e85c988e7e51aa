// What the dispatcher does where no socket can show it: an object that woke without its memory, a hub that is gone.

import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { dispatcher } from "../../src/dispatch/dispatcher.ts";
import { hub, method } from "../../src/dispatch/define/hub-definition.ts";
import { tablesOf } from "../../src/dispatch/define/hub-tables.ts";
import type { Outgoing } from "../../src/model/message.ts";
import { DEFAULTS } from "../../src/model/options.ts";
import { ALL } from "../../src/model/topic.ts";
import { jsonRpc } from "../../src/protocols/json-rpc-codec.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import type { Connection } from "../../src/rooms/connection/connection.ts";
import { HeldBytes, SPARE_BYTES } from "../../src/rooms/connection/held-bytes.ts";
import type { Host } from "../../src/rooms/object/host.ts";
import { systemClock } from "../../src/rooms/platform/loop-timing.ts";

/** An object of the hub `a` with one connection, and what it sent, remembered and waited for. */
function object({ hubName = "a", openCalls = [] as string[] } = {}) {
  const sent: Outgoing[] = [];
  const remembered: (readonly string[])[] = [];
  const awaited: Promise<unknown>[] = [];
  const connection = {
    protocol: jsonRpc,
    attached: { openCalls },
    user: {},
    held: new HeldBytes(DEFAULTS.limits).of({ id: "alice" }),
  } as unknown as Connection;
  const host = {
    domain: { tenant: "default", hub: hubName },
    room: ALL,
    settings: DEFAULTS,
    clock: systemClock,
    activity: { counters: { in: 0, calls: { instant: 0 } }, isDue: true, answered: () => {} },
    replies: {
      send: (_: Connection, message: Outgoing | (() => Outgoing)) =>
        void sent.push(typeof message === "function" ? message() : message),
    },
    connections: {
      remember: (_: Connection, ids: readonly string[]) => void remembered.push(ids),
    },
    inOrder: (_: object, send: () => void) => void send(),
    waitUntil: (work: Promise<unknown>) => void awaited.push(work),
  } as unknown as Host;
  return { host, connection, sent, remembered, awaited };
}

const receiver = dispatcher({
  hubs: tablesOf([
    hub("a").methods({
      one: method([], () => 1),
      wait: method([z.unknown()], () => new Promise<void>(() => {})),
    }),
  ]),
  verify: () => Promise.reject(new Error("No token is judged here.")),
});

describe("an object that woke without its memory", () => {
  it("tells the calls that were open, by ids as they were, that they are lost, once", () => {
    const { host, connection, sent, remembered } = object({ openCalls: ['"s"', "7", "null"] });
    receiver.awoke(host, connection);
    expect(sent.map((one) => one.type === "failure" && [one.id, one.error.code])).toEqual([
      ["s", "interrupted"],
      [7, "interrupted"],
      [null, "interrupted"],
    ]);
    expect(remembered).toEqual([[]]);
  });

  it("says nothing to a connection that had no call open", () => {
    const { host, connection, sent, remembered } = object();
    receiver.awoke(host, connection);
    expect([sent, remembered]).toEqual([[], []]);
  });
});

it("a call keeps its object awake until it is done, and is answered by one record", async () => {
  const { host, connection, sent, awaited } = object();
  receiver.received(host, connection, '{"jsonrpc":"2.0","id":1,"method":"one"}');
  expect(awaited).toHaveLength(1);
  await Promise.all(awaited);
  expect(sent).toEqual([{ type: "record", record: '{"jsonrpc":"2.0","id":1,"result":1}' }]);
});

it("a small frame counts by the objects in it, not by its bytes", () => {
  const { host, connection } = object();
  const values = Array.from({ length: 100 }, () => new Uint8Array());
  const call = encode([1, {}, "1", "wait", [values], []]);
  const frame = Uint8Array.of((call.length & 0x7f) | 0x80, call.length >> 7, ...call);
  Object.assign(connection, {
    ...{ protocol: signalrMsgpack({ verbatim: false }), spareBytes: SPARE_BYTES },
    flow: { written: 0, unsent: 0, untaken: 0, lookAt: 1 },
  });
  receiver.received(host, connection, frame.buffer);
  expect(frame.length).toBeLessThan(256);
  expect(connection.held.held).toBeGreaterThan(20_000);
});

it("a hub that is not served has no settings, and its objects take no calls", () => {
  const { host, connection } = object({ hubName: "constructor" });
  expect(receiver.settings("constructor")).toBeUndefined();
  expect(() => receiver.received(host, connection, "{}")).toThrow(
    expect.objectContaining({ code: "hub_not_found" }),
  );
});

it("objects of a hub that a deploy has left out close their clients, and their users leave, without an error", async () => {
  const { host, connection } = object({ hubName: "gone" });
  const ending = { error: undefined, departed: Promise.resolve() };
  const change = { joined: [], left: ["alice"] };
  const work = [receiver.closed(host, connection, ending), receiver.presenceChanged(host, change)];
  expect(await Promise.all(work)).toEqual([undefined, undefined]);
});

it("two hubs of one name are refused where they are listed", () => {
  expect(() => tablesOf([hub("a").methods({}), hub("a").methods({})])).toThrow(TypeError);
});
