// Many streams of every kind that end or break, and calls of client methods: what is left of them in their connection.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { ObjectParts } from "../../../src/rooms/object/object-parts.ts";
import { SPARE_BYTES } from "../../../src/rooms/connection/held-bytes.ts";
import { sizeOf } from "../../support/seed.ts";
import { enter, roomAt } from "../../rooms/client.ts";
import { stateful } from "../../rooms/relay/attacking.ts";
import { connected, relayOf } from "../../rooms/relay/client.ts";
import { range } from "../../rooms/storage.ts";

const HUB = "busy-zoo";
const EACH = sizeOf(20, 1_000);
const AT_ONCE = 10;

/** A client of either protocol. */
interface Peer extends Disposable {
  readonly id: string;
  readonly object: DurableObjectStub;
  begin(id: string, target: string, args: unknown[], streams?: string[]): void;
  cancel(id: string): void;
  item(stream: string, value: unknown): void;
  end(stream: string, error?: string): void;
  /** Resolves with the call's error; undefined for none. */
  ended(id: string): Promise<string | undefined>;
  /** Resolves with the id of the question. */
  asked(question: string): Promise<string>;
  answer(id: string, result: unknown): void;
}

const STREAMS = new Set(["count", "busy", "stuck", "breaks", "doubled"]);

async function signalR(version: 1 | 2): Promise<Peer> {
  const client = await connected(HUB, version === 2 ? stateful : {});
  // What is not confirmed holds streams up.
  const isCounted = ({ type }: { type: number }) => type <= 5;
  const confirm = () => client.say({ type: 8, sequenceId: client.heard.filter(isCounted).length });
  if (version === 2) client.socket.addEventListener("message", confirm);
  return {
    id: client.id,
    object: relayOf(HUB, client.id) as unknown as DurableObjectStub,
    begin: (invocationId, target, args, streamIds) =>
      client.say({
        ...{ type: STREAMS.has(target) ? 4 : 1, invocationId, target, arguments: args },
        ...(streamIds && { streamIds }),
      }),
    cancel: (invocationId) => client.say({ type: 5, invocationId }),
    item: (invocationId, item) => client.say({ type: 2, invocationId, item }),
    end: (invocationId, error) =>
      client.say({ type: 3, invocationId, ...(error !== undefined && { error }) }),
    ended: async (id) =>
      (await client.record(({ type, invocationId }) => type === 3 && invocationId === id)).error,
    asked: async (question) =>
      (await client.record(({ type, arguments: args }) => type === 1 && args?.[0] === question))
        .invocationId!,
    answer: (invocationId, result) => client.say({ type: 3, invocationId, result }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

async function jsonRpc(): Promise<Peer> {
  const room = `${HUB}/group:balance`;
  const client = await enter(room);
  const send = (message: object) => client.send({ jsonrpc: "2.0", ...message });
  return {
    id: client.hello.params.connectionId as string,
    object: roomAt(room) as unknown as DurableObjectStub,
    begin: (id, method, args, streams = []) =>
      send({ id, method, params: [...args, ...streams.map(($stream) => ({ $stream }))] }),
    cancel: (id) => send({ method: "$/cancelRequest", params: { id } }),
    item: (stream, item) => send({ method: "$/item", params: { stream, item } }),
    end: (stream, error) => send({ method: "$/end", params: { stream, error } }),
    ended: async (id) => (await client.response(id)).error?.data.code,
    asked: async (question) =>
      (await client.heardFrame(({ params }) => params?.[0] === question)).id as string,
    answer: (id, result) => send({ id, result }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** One stream or call with this id, from its beginning to its answer. */
const KINDS: Readonly<Record<string, (peer: Peer, id: string) => Promise<unknown>>> = {
  async "a stream that ends"(peer, id) {
    peer.begin(id, "count", [40]);
    return peer.ended(id);
  },
  async "a stream that breaks"(peer, id) {
    peer.begin(id, "breaks", ["teapot"]);
    return peer.ended(id);
  },
  async "a stream that is cancelled"(peer, id) {
    peer.begin(id, "busy", []);
    peer.cancel(id);
    return peer.ended(id);
  },
  async "a stream that never stops, cancelled"(peer, id) {
    peer.begin(id, "stuck", []);
    peer.cancel(id);
    peer.cancel(id);
    return peer.ended(id);
  },
  async "an upload"(peer, id) {
    peer.begin(id, "sum", [], [`u${id}`]);
    for (const n of range(1, 20)) peer.item(`u${id}`, n);
    peer.end(`u${id}`);
    peer.item(`u${id}`, 1);
    return peer.ended(id);
  },
  async "an upload that breaks"(peer, id) {
    peer.begin(id, "sum", [], [`u${id}`]);
    peer.item(`u${id}`, 1);
    peer.end(`u${id}`, "broken");
    return peer.ended(id);
  },
  async "an upload with an item that is refused"(peer, id) {
    peer.begin(id, "sumBoth", [], [`u${id}`, `v${id}`]);
    range(1, 20).forEach(() => peer.item(`v${id}`, "x".repeat(200)));
    peer.item(`u${id}`, "no number");
    return peer.ended(id);
  },
  async "an upload of which one item is read"(peer, id) {
    peer.begin(id, "first", [], [`u${id}`]);
    for (const n of range(1, 20)) peer.item(`u${id}`, n);
    return peer.ended(id);
  },
  async "an upload to a stream, cancelled"(peer, id) {
    peer.begin(id, "doubled", [], [`u${id}`]);
    for (const n of range(1, 20)) peer.item(`u${id}`, n);
    peer.cancel(id);
    return peer.ended(id);
  },
  async "an upload to no method"(peer, id) {
    peer.begin(id, "nothing", [], [`u${id}`]);
    peer.item(`u${id}`, 1);
    peer.end(`u${id}`);
    return peer.ended(id);
  },
  async "a question to the client"(peer, id) {
    peer.begin(id, "askMe", [id]);
    const question = await peer.asked(id);
    for (const result of [true, false, "neither"]) peer.answer(question, result);
    return peer.ended(id);
  },
  async "a question with a wrong answer"(peer, id) {
    peer.begin(id, "askMe", [id]);
    peer.answer(await peer.asked(id), { no: "boolean" });
    return peer.ended(id);
  },
};

/** What an object keeps for a connection, and for all connections. */
const keptFor = ({ object, id }: Peer) =>
  runInDurableObject(object, (one) => {
    const { parts } = one as unknown as { readonly parts: ObjectParts };
    const { attached, deferred, flow, held, spareBytes } = parts.connections.get(id)!;
    const ofObject = parts.connections.held.held;
    const { openCalls } = attached;
    return { openCalls, deferred, unsent: flow.unsent, held: held.held, spareBytes, ofObject };
  });

const NOTHING = {
  ...{ openCalls: [], deferred: 0, unsent: 0, held: 0, spareBytes: SPARE_BYTES, ofObject: 0 },
};

describe.each([
  ["JSON-RPC", jsonRpc],
  ["SignalR", () => signalR(1)],
  ["SignalR with stateful reconnect", () => signalR(2)],
])("%s", (_, begin) => {
  it.each(Object.keys(KINDS))(
    `keeps nothing of ${EACH} times %s`,
    { timeout: 300_000 },
    async (kind) => {
      using peer = await begin();
      for (let n = 0; n < EACH; n += AT_ONCE)
        await Promise.all(range(1, AT_ONCE).map((at) => KINDS[kind]!(peer, `${kind} ${n + at}`)));
      await expect.poll(() => keptFor(peer)).toEqual(NOTHING);
    },
  );
});
