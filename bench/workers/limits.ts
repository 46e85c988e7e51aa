// The limits: what each operation must cost on this platform, by hand. The same token check, the same calls between
// objects and the same durable rows as ours, and nothing else: no rules, limits, replay, resumption or reports.

import { DurableObject } from "cloudflare:workers";
import { jwtVerify, type JWTVerifyOptions } from "jose";
import { Account, accountOf, LOGGED, upgraded, USER, type LimitsEnv } from "./limits-objects.ts";
import { Relay } from "./limits-relay.ts";

export { Account, Relay };

interface Call {
  readonly id?: number;
  readonly method: string;
  readonly params: readonly string[];
}

const keys = new Map<string, CryptoKey>();

/** Imported once for each isolate. */
async function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known) return known;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"]);
  keys.set(secret, key);
  return key;
}

/** Subjects of tokens that were verified in this isolate, as ours remembers them. */
const verified = new Map<string, string>();

async function subjectOf(token: string, secret: string, options: JWTVerifyOptions) {
  const known = verified.get(token);
  if (known !== undefined) return known;
  const { payload } = await jwtVerify(token, await keyOf(secret), options);
  if (verified.size >= REMEMBERED) verified.clear();
  verified.set(token, payload.sub ?? "");
  return payload.sub ?? "";
}

const REMEMBERED = 10_000;

const userOf = (token: string, { JWT_SECRET, JWT_ISSUER: issuer }: LimitsEnv): Promise<string> =>
  subjectOf(token, JWT_SECRET, { issuer, audience: issuer, algorithms: ["HS256"] });

const bearerOf = ({ headers }: Request): string =>
  headers.get("authorization")?.replace(/^Bearer /, "") ?? "";

const said = (text: string, position: number): string =>
  `{"jsonrpc":"2.0","method":"said","params":${JSON.stringify([text])},"position":"e:${position}"}`;

const answer = (id: number | undefined, result: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id, result });

export class Room extends DurableObject<LimitsEnv> {
  readonly #sql = this.ctx.storage.sql;
  readonly #followers = new Set<string>();
  readonly #isLogged = this.ctx.id.name!.startsWith(LOGGED);
  #hasLog = false;
  #offset = 0;
  #state = { title: "A sum", sum: 0 };

  override async fetch(request: Request): Promise<Response> {
    const user = request.headers.get(USER)!;
    await accountOf(this.env, user).admit(user, this.ctx.id.name!);
    this.#sql.exec("CREATE TABLE IF NOT EXISTS present (user TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#sql.exec("INSERT OR IGNORE INTO present VALUES (?)", user);
    this.#announce(user);
    return upgraded(this.ctx, { user, hello: '{"method":"$/connected","params":{}}' });
  }

  /** Presence: each join is published to the other members. */
  #announce(user: string): void {
    const params = { joined: [user] };
    const frame = JSON.stringify({ jsonrpc: "2.0", method: "$/presence", params });
    for (const socket of this.ctx.getWebSockets()) socket.send(frame);
  }

  override webSocketMessage(socket: WebSocket, frame: string): void {
    const { id, method, params } = JSON.parse(frame) as Call;
    const [text = ""] = params;
    if (method === "say") this.publish(text);
    const result = method === "add" ? this.#add() : method === "echo" ? text : null;
    if (id !== undefined) socket.send(answer(id, result));
  }

  /** A state in memory, and a row with its change. */
  #add(): number {
    this.#state = { ...this.#state, sum: this.#state.sum + 1 };
    this.#append(JSON.stringify({ sum: this.#state.sum }));
    return this.#state.sum;
  }

  /** One row, then everybody: frames leave once it is durable. */
  publish(text: string): number {
    const offset = this.#isLogged ? this.#append(text) : ++this.#offset;
    const frame = said(text, offset);
    for (const socket of this.ctx.getWebSockets()) socket.send(frame);
    for (const relay of this.#followers)
      this.ctx.waitUntil(this.env.RELAYS.getByName(relay).deliver(this.#name, [text]));
    return offset;
  }

  #append(text: string): number {
    if (!this.#hasLog)
      this.#sql.exec("CREATE TABLE IF NOT EXISTS log (slot INTEGER PRIMARY KEY, text TEXT)");
    this.#hasLog = true;
    this.#sql.exec("INSERT OR REPLACE INTO log VALUES (?, ?)", ++this.#offset % 128, text);
    return this.#offset;
  }

  get #name(): string {
    return this.ctx.id.name!.slice(LOGGED.length);
  }

  follow(relay: string): void {
    this.#sql.exec("CREATE TABLE IF NOT EXISTS followers (relay TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#sql.exec("INSERT OR IGNORE INTO followers VALUES (?)", relay);
    this.#followers.add(relay);
  }
}

const RELAY = "relay";

async function handOver(stub: DurableObjectStub, request: Request, user: string) {
  const headers = new Headers(request.headers);
  headers.set(USER, user);
  return stub.fetch(new Request(request, { headers }));
}

interface Input {
  readonly request: Request;
  readonly env: LimitsEnv;
  readonly url: URL;
}

/** Paths are `/{route}/{logged or unlogged}/{room}`. */
const roomAt = ({ ROOMS }: LimitsEnv, { pathname }: URL) =>
  ROOMS.getByName(pathname.split("/").slice(2).join("/"));

const enterRoom = async ({ request, env, url }: Input): Promise<Response> => {
  const user = await userOf(url.searchParams.get("access_token")!, env);
  return handOver(roomAt(env, url), request, user);
};

const enterRelay = async ({ request, env, url }: Input): Promise<Response> => {
  const user = await userOf(url.searchParams.get("access_token")!, env);
  return handOver(env.RELAYS.getByName(RELAY), request, user);
};

/** By a service, with a token for this URL. */
const publish = async ({ request, env, url }: Input): Promise<Response> => {
  const audience = `${url.origin}${url.pathname}`;
  const options = { audience, algorithms: ["HS256"], requiredClaims: ["exp"] };
  await subjectOf(bearerOf(request), env.ACCESS_KEYS, options);
  const { arguments: args } = await request.json<{ arguments: readonly string[] }>();
  const offset = await roomAt(env, url).publish(args[0]!);
  return Response.json({ epoch: "e", offset });
};

/** `POST /rpc` in JSON-RPC, and `POST /unary` as Connect has it. */
const call = async ({ request, env, url }: Input): Promise<Response> => {
  await userOf(url.searchParams.get("access_token")!, env);
  const body = await request.json<Call & { readonly arguments?: readonly string[] }>();
  const [text = ""] = body.arguments ?? body.params;
  const result = await env.RELAYS.getByName(RELAY).echo(text);
  return body.arguments
    ? Response.json({ result })
    : new Response(answer(body.id, result), { headers: { "content-type": "application/json" } });
};

/** The worker holds the response, and a socket of the room; frames become events. */
const streamEvents = async (input: Input): Promise<Response> => {
  const headers = { upgrade: "websocket" };
  const request = new Request(input.request.url, { headers });
  const { webSocket } = await enterRoom({ ...input, request });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  webSocket!.accept();
  webSocket!.addEventListener("message", ({ data }) => {
    const { method, params, position } = JSON.parse(data as string) as Call & { position: string };
    const event =
      method === "said"
        ? `event: said\nid: ${position}\ndata: ${JSON.stringify(params)}\n\n`
        : "event: connected\ndata: {}\n\n";
    writer.write(encoder.encode(event)).catch(() => webSocket!.close());
  });
  return new Response(readable, { headers: { "content-type": "text/event-stream" } });
};

const ROUTES: Readonly<Record<string, (input: Input) => Promise<Response>>> = {
  ...{ rooms: enterRoom, relay: enterRelay, publish, rpc: call, unary: call, events: streamEvents },
};

export default {
  fetch(request: Request, env: LimitsEnv): Promise<Response> | Response {
    const url = new URL(request.url);
    const route = ROUTES[url.pathname.split("/")[1]!];
    return route?.({ request, env, url }) ?? new Response(null, { status: 404 });
  },
};
