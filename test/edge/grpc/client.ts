// Generated clients inside workerd, over the worker's own `fetch`: Connect and gRPC-Web, all four patterns.

import { exports } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { Code, ConnectError, createClient, type Client, type Transport } from "@connectrpc/connect";
import { createFetchClient } from "@connectrpc/connect/protocol";
import { createTransport as connectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as grpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { ErrorInfoSchema } from "../../../src/protocols/proto/google/rpc/error_details_pb.ts";
import {
  Hub,
  type Event,
  type SubscribeRequestSchema,
  type SubscribeResponse,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { roomAt, token } from "../../rooms/client.ts";

export const BASE = "https://edge.example";

export const PROTOCOLS = ["connect", "connect+json", "grpc-web"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export function transport(protocol: ProtocolName = "connect"): Transport {
  const make = protocol === "grpc-web" ? grpcWebTransport : connectTransport;
  return make({
    httpClient: createFetchClient((request) => exports.default.fetch(request as Request)),
    baseUrl: BASE,
    useBinaryFormat: protocol !== "connect+json",
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 0,
    readMaxBytes: 0xffffffff,
    writeMaxBytes: 0xffffffff,
  });
}

export const clientBy = (protocol?: ProtocolName): Client<typeof Hub> =>
  createClient(Hub, transport(protocol));

/** Who calls. */
export async function as(user: string, claims: Record<string, unknown> = {}) {
  return { headers: { authorization: `Bearer ${await token(user, claims)}` } };
}

export const SERVICE = { role: "service" };

/** What a call failed with: gRPC's code, and ours. */
export async function failure(work: Promise<unknown>): Promise<[code: string, reason?: string]> {
  try {
    await work;
  } catch (error) {
    const { code } = ConnectError.from(error);
    const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
    return info ? [Code[code], info.reason] : [Code[code]];
  }
  throw new Error("It did not fail.");
}

/** All of a stream, which is expected to fail. */
export async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  const items = stream[Symbol.asyncIterator]();
  while (!(await items.next()).done);
}

/** Says something in a room, without any client. */
export const say = (room: string, ...args: unknown[]) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify(args) });

/** Sockets of a room's object. */
export const socketsIn = (room: string): Promise<number> =>
  runInDurableObject(roomAt(room), (_, state) => state.getWebSockets().length);

/** Until a room has no sockets: each look awaits the object. */
export async function emptied(room: string): Promise<void> {
  while ((await socketsIn(room)) > 0) await scheduler.wait(1);
}

type Asked = MessageInitShape<typeof SubscribeRequestSchema>;
type Kind = NonNullable<SubscribeResponse["kind"]>;

/** A stream that is read word by word. */
export class Listener implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #words: AsyncIterator<SubscribeResponse>;

  constructor(client: Client<typeof Hub>, request: Asked, options: { headers: HeadersInit }) {
    const { signal } = this.#abort;
    this.#words = client.subscribe(request, { ...options, signal })[Symbol.asyncIterator]();
  }

  async next(): Promise<Kind> {
    const { done, value } = await this.#words.next();
    if (done) throw new Error("The stream has ended.");
    return value.kind;
  }

  /** What the next word is, as JSON would have it. */
  async told(): Promise<unknown[]> {
    const { case: name, value } = await this.next();
    if (name === "standing") return [name, value.outcome, value.position, value.replayed];
    if (name === "event") return [name, value.topic, value.target, textsOf(value), value.position];
    if (name === "reset") return [name, value.topic];
    if (name === "presence") return [name, value.topic, value.change];
    return [name];
  }

  end(): void {
    this.#abort.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }
}

const textsOf = ({ arguments: list }: Event) => list?.values.map(({ kind }) => kind.value);

export async function listen(
  request: Asked,
  { user = "alice", claims = {}, protocol = "connect" as ProtocolName } = {},
): Promise<Listener> {
  return new Listener(clientBy(protocol), request, await as(user, claims));
}
