// A client for tests inside workerd: connects through the worker, and awaits what comes instead of sleeping.

import { exports } from "cloudflare:workers";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { parsePosition, parseTopic, type Position } from "../../src/model/topic.ts";
import { objectName } from "../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../src/rooms/rpc/room-rpc.ts";
import type { Room } from "../../src/worker.ts";

export interface Frame {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: any;
  readonly room?: string;
  readonly position?: string;
  readonly result?: any;
  readonly error?: { code: number; message: string; data: { code: string } };
}

export async function token(user: string, claims: Record<string, unknown> = {}): Promise<string> {
  const { exp = Math.floor(Date.now() / 1000) + 3600, ...rest } = claims;
  return new SignJWT(rest)
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuer(env.JWT_ISSUER)
    .setAudience(env.JWT_AUDIENCE)
    .setExpirationTime(exp as number)
    .sign(new TextEncoder().encode(env.JWT_SECRET));
}

export const upgrade = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  exports.default.fetch(`https://edge.example${path}`, {
    headers: { upgrade: "websocket", ...headers },
  });

/** The object of a room such as `chat/group:lobby`, by the interface that rooms show each other. */
export function roomAt(room: string, tenant = "default"): DurableObjectStub<Room> & RoomRpc {
  const slash = room.indexOf("/");
  const topic = parseTopic(room.slice(slash + 1));
  const name = objectName({ tenant, hub: room.slice(0, slash), topic });
  return env.ROOMS.getByName(name) as unknown as DurableObjectStub<Room> & RoomRpc;
}

/** Where a frame stands, be it a message or `$/connected`. */
export const positionOf = ({ position, params }: Frame): Position =>
  parsePosition(position ?? params.position);

export interface Joining {
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
  readonly since?: string;
  readonly connection?: string;
}

/** Enters a room such as `chat/group:lobby`, and has read `$/connected`. */
export async function enter(room: string, joining: Joining = {}): Promise<Client> {
  const { user = "alice", claims, since, connection } = joining;
  const query = new URLSearchParams({ access_token: await token(user, claims) });
  if (since) query.set("since", since);
  if (connection) query.set("connection", connection);
  const response = await upgrade(`/parties/${room}?${query}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  client.hello = await client.next((frame) => frame.method === "$/connected");
  return client;
}

export class Client implements Disposable {
  readonly socket: WebSocket;
  /** Everything that came, in order; frames of several records are taken apart. */
  readonly heard: Frame[] = [];
  readonly frames: string[] = [];
  closed: Promise<{ code: number; reason: string }>;
  hello!: Frame;
  readonly #responses = new Map<Frame["id"], Frame>();
  #read = 0;
  #waiting: (() => void)[] = [];
  #ids = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(data as string));
    this.closed = new Promise((resolve) =>
      socket.addEventListener("close", ({ code, reason }) => {
        resolve({ code, reason });
        this.#wake();
      }),
    );
    socket.accept();
  }

  #take(data: string): void {
    this.frames.push(data);
    if (data.startsWith('{"type":6}')) return;
    const value = JSON.parse(data) as Frame | Frame[];
    for (const frame of Array.isArray(value) ? value : [value]) {
      this.heard.push(frame);
      if (!frame.method && !this.#responses.has(frame.id)) this.#responses.set(frame.id, frame);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next frame that matches, from where the last `next` stopped. */
  async next(matches: (frame: Frame) => boolean = () => true): Promise<Frame> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const frame = this.heard[this.#read++]!;
        if (matches(frame)) return frame;
      }
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** The next call of the hub on this client. */
  said(method: string): Promise<Frame> {
    return this.next((frame) => frame.method === method);
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Calls a method and gives its whole response. Does not move `next`. */
  async call(method: string, params: unknown = [], more: object = {}): Promise<Frame> {
    const id = `c${++this.#ids}`;
    this.send({ jsonrpc: "2.0", id, method, params, ...more });
    return this.response(id);
  }

  async response(id: string): Promise<Frame> {
    for (;;) {
      const response = this.#responses.get(id);
      if (response) return response;
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** The first frame of all that matches, heard already or not. Does not move `next`. */
  async heardFrame(matches: (frame: Frame) => boolean): Promise<Frame> {
    for (let looked = 0; ;) {
      while (looked < this.heard.length) {
        const frame = this.heard[looked++]!;
        if (matches(frame)) return frame;
      }
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  messages(method: string): Frame[] {
    return this.heard.filter((frame) => frame.method === method);
  }

  [Symbol.dispose](): void {
    try {
      this.socket.close(1000);
    } catch {
      // Closed already.
    }
  }
}
