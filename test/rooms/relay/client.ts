// A SignalR client for tests inside workerd: JSON records on a bare socket, so that a test sees every one of them.

import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { HolderRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import type { Relay } from "../../../src/worker.ts";
import { token, upgrade } from "../client.ts";

const RS = "\u001e";
/** Of all clients: a resumed one hears answers to calls of the one before. */
let ids = 0;

export interface Record {
  readonly type: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: unknown[];
  readonly item?: unknown;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
  readonly result?: any;
  readonly error?: string;
  readonly allowReconnect?: boolean;
  readonly sequenceId?: number;
}

export interface Negotiated {
  readonly connectionId: string;
  readonly connectionToken: string;
  readonly useStatefulReconnect?: boolean;
}

export interface Joining {
  readonly user?: string;
  readonly claims?: { [name: string]: unknown };
  /** In the hub's URL. */
  readonly query?: string;
  readonly version?: number;
}

export async function post(path: string, user = "alice", claims = {}): Promise<Response> {
  const authorization = `Bearer ${await token(user, claims)}`;
  return exports.default.fetch(`https://edge.example${path}`, {
    method: "POST",
    headers: { authorization },
  });
}

export async function negotiate(hub: string, joining: Joining = {}): Promise<Negotiated> {
  const { user, claims, query = "" } = joining;
  const path = `/hubs/${hub}/negotiate?negotiateVersion=1&${query}`;
  const response = await post(path, user, claims);
  if (response.ok) return response.json();
  const code = response.headers.get("x-dormouse-error");
  throw new Error(`Refused: ${response.status} ${code} ${await response.text()}`);
}

export async function open(hub: string, id: string, joining: Joining = {}): Promise<Response> {
  const { user = "alice", claims, query = "" } = joining;
  const search = new URLSearchParams({ id, access_token: await token(user, claims) });
  return upgrade(`/hubs/${hub}?${search}&${query}`);
}

/** Negotiates, connects and shakes hands. */
export async function connected(hub: string, joining: Joining = {}): Promise<SignalR> {
  const negotiated = await negotiate(hub, joining);
  const response = await open(hub, negotiated.connectionToken, joining);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new SignalR(response.webSocket, negotiated);
  client.say({ protocol: "json", version: joining.version ?? 1 });
  await client.shaken;
  return client;
}

/** The object that holds a connection. */
export const relayOf = (hub: string, connectionId: string, tenant?: string) =>
  relayNamed(hub, /@relay:(.+)$/.exec(connectionId)![1]!, tenant);

export const relayNamed = (
  hub: string,
  relay: string,
  tenant = "default",
): DurableObjectStub<Relay> & HolderRpc =>
  env.RELAYS.getByName(objectName({ tenant, hub, relay })) as unknown as DurableObjectStub<Relay> &
    HolderRpc;

/** As the platform tells of a socket that broke; the peer's side knows nothing of it. */
export const lose = ({ id }: SignalR, hub: string) =>
  runInDurableObject(relayOf(hub, id), (relay, state) => {
    const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === id)!;
    (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });

/** Comes back to a lost connection on another socket. */
export async function resume(lost: SignalR, hub: string, joining: Joining = {}): Promise<SignalR> {
  const response = await open(hub, lost.token, joining);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const negotiated = { connectionId: lost.id, connectionToken: lost.token };
  return new SignalR(response.webSocket, negotiated, true);
}

export class SignalR implements Disposable {
  readonly socket: WebSocket;
  readonly id: string;
  readonly token: string;
  /** All records but the handshake's answer and pings. */
  readonly heard: Record[] = [];
  readonly frames: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly shaken: Promise<void>;
  #shake!: () => void;
  #waiting: (() => void)[] = [];
  #isShaken: boolean;

  constructor(socket: WebSocket, { connectionId, connectionToken }: Negotiated, isShaken = false) {
    this.socket = socket;
    this.id = connectionId;
    this.token = connectionToken;
    this.#isShaken = isShaken;
    this.shaken = new Promise((resolve) => (this.#shake = resolve));
    socket.addEventListener("message", ({ data }) => this.#take(data as string));
    this.closed = new Promise((resolve) =>
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
    );
    socket.accept();
  }

  #take(data: string): void {
    this.frames.push(data);
    for (const text of data.split(RS).slice(0, -1)) {
      const record = JSON.parse(text) as Record;
      if (!this.#isShaken) {
        if (text !== "{}") throw new Error(`Refused: ${text}`);
        this.#isShaken = true;
        this.#shake();
      } else if (record.type !== 6) this.heard.push(record);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message) + RS);
  }

  /** The first record that matches, heard already or not. */
  async record(matches: (record: Record) => boolean): Promise<Record> {
    for (;;) {
      const found = this.heard.find(matches);
      if (found) return found;
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  async call(target: string, ...args: unknown[]): Promise<Record> {
    const invocationId = `c${ids++}`;
    this.say({ type: 1, invocationId, target, arguments: args });
    return this.record((record) => record.type === 3 && record.invocationId === invocationId);
  }

  /** Texts that `said` brought, in order. */
  get texts(): unknown[] {
    return this.heard.filter(({ target }) => target === "Said").map((one) => one.arguments![0]);
  }

  hears(text: string): Promise<Record> {
    return this.record((one) => one.target === "Said" && one.arguments![0] === text);
  }

  [Symbol.dispose](): void {
    try {
      this.socket.close(1000);
    } catch {
      // Closed already.
    }
  }
}
