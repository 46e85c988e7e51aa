// The worker that is attacked: hubs with the limits that hubs have by default. `dormouse-hubs/…` is bound to the
// checkout that `--root` names, so the same attacks run against any release.

import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { hub, method, signedIn, streamOf, type HubOptions } from "dormouse-hubs/hub";
import { serve, type EndpointEnv } from "dormouse-hubs/server";
import { grpc } from "dormouse-hubs/server/grpc";

interface HallClient {
  said(text: string): void;
}

const Name = z.string().min(1).max(128);
const Text = z.string().min(1).max(12_000);

/** Ends with its caller. */
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });

const hall = (name: string, options: Partial<HubOptions<HallClient>> = {}) =>
  hub<HallClient>(name, {
    authorize: signedIn,
    rooms: { group: { enter: signedIn } },
    ...options,
  }).methods({
    say: method([Name, Text], async ({ clients }, room, text) => {
      await clients.group(room).said(text);
    }),
    join: method([Name], ({ group }, room) => group(room).join()),
    /** Calls behind it wait for it. */
    hang: method([], ({ signal }) => untilAborted(signal)),
    take: method([z.unknown()], () => {}),
    /** An upload of which nobody reads anything. */
    ignore: method([streamOf(z.unknown())], ({ signal }) => untilAborted(signal)),
    fail: method([Text], () => {
      throw new Error("It failed.");
    }),
  });

const served = serve(
  [
    hall("hall"),
    hall("brief", { history: { size: 100, ttlSeconds: 30 } }),
    hall("behind", { durability: "behind" }),
    hall("resuming", { signalR: { statefulReconnect: true } }),
  ],
  { grpc },
);

/** Characters of a message of L4. */
const HISTORY_MESSAGE = 11_900;
/** As long as a flooder is refused at first. */
const FLOOD_PAUSE_MS = 5_000;

const made = new Set<string>();

export class Room extends served.Room {
  constructor(...args: ConstructorParameters<typeof served.Room>) {
    super(...args);
    made.add(args[0].id.name ?? "");
  }

  abort(): void {
    this.ctx.abort("The attack aborts this object.");
  }
}

/** An object with sockets, which reads what comes and does nothing: what a load costs bystanders without our work. */
export class Bare extends DurableObject {
  /** Messages that are taken before all sockets that send more are closed. */
  #left = Infinity;
  /** Milliseconds since 1970. */
  #closedAt = 0;
  /** Bytes of history that may be read at once, by default. */
  #historyLeft = 4 * 1024 * 1024;

  /** `?burst=`: how many messages are taken, of all sockets together. */
  override async fetch(request: Request): Promise<Response> {
    const burst = new URL(request.url).searchParams.get("burst");
    if (Date.now() - this.#closedAt < FLOOD_PAUSE_MS) return new Response(null, { status: 429 });
    if (this.#left <= 0 || this.#left === Infinity) this.#left = Number(burst ?? Infinity);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    if ((this.#left -= 1) < 0) return this.#end(socket);
    if (typeof frame === "string" && !frame.endsWith("\u001e")) JSON.parse(frame);
  }

  #end(socket: WebSocket): void {
    this.#closedAt = Date.now();
    socket.close(4429);
  }

  /**
   * A batch comes in. Its calls get a message of 12 KB each until a burst of history is spent, as L4 has; then errors.
   */
  async answer(text: string): Promise<string> {
    const answers = [JSON.parse(text)].flat().map(({ id }) => {
      if (this.#historyLeft <= 0) return { id, error: "no" };
      const result = this.#message();
      this.#historyLeft -= result.length;
      return { id, result };
    });
    return JSON.stringify(answers);
  }

  #message(): string {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS log (text TEXT)");
    const [row] = sql.exec("SELECT text FROM log LIMIT 1").toArray();
    if (!row) sql.exec("INSERT INTO log VALUES (?)", "x".repeat(HISTORY_MESSAGE));
    return (row?.["text"] ?? "") as string;
  }
}

interface Env extends EndpointEnv {
  readonly BARE: DurableObjectNamespace<Bare>;
}

/** `/attack/bare`: a socket of an object by hand, or the object's answer to a body. */
async function bare(request: Request, { BARE }: Env): Promise<Response> {
  const object = BARE.getByName("bare");
  if (request.headers.get("upgrade") === "websocket") return object.fetch(request);
  return new Response(await object.answer(await request.text()));
}

/** `POST /attack/abort?name=`: as after a crash of one room. */
async function abort({ ROOMS }: Env, part: string): Promise<Response> {
  const name = [...made].find((one) => one.includes(part));
  if (name === undefined) return new Response("No such room.", { status: 404 });
  const stub = ROOMS.getByName(name) as unknown as { abort(): Promise<void> };
  await stub.abort().catch(() => {});
  return new Response(name);
}

/** `POST /attack/collect`: garbage is collected, so that what is left is what is held. */
function collect(): Response {
  (globalThis as { gc?: () => void }).gc?.();
  return new Response();
}

export const { Relay, Account } = served;
export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/attack/collect") return collect();
    if (pathname === "/attack/bare") return bare(request, env);
    if (pathname === "/attack/abort") return abort(env, searchParams.get("name") ?? "");
    return served.endpoint.fetch(request, env, ctx);
  },
};
