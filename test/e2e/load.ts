// Publishers and subscribers who do not give up: they come back after every cut, resume by position, repeat what was
// not acknowledged under its idempotency key, and tell a ledger what they saw.

import type { Endpoint } from "../support/endpoint.ts";
import type { Ledger } from "../support/ledger.ts";
import { enter, type Client, type Cut, type Frame } from "./client.ts";

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Between two attempts to reach an endpoint that may be down. */
const RETRY_MS = 30;

export interface LoadOptions {
  readonly endpoint: Endpoint;
  readonly ledger: Ledger;
  /** The room that is watched, of the hub `chat`. */
  readonly room: string;
}

export class Subscriber implements Disposable {
  readonly name: string;
  readonly #load: LoadOptions;
  readonly #home: string;
  readonly #old: Client[] = [];
  client: Client | undefined;
  /** What `$/connected` said, each time. */
  readonly hellos: Frame["params"][] = [];
  /** Milliseconds from the start of a return until `$/connected`, each time. */
  readonly returns: number[] = [];
  /** Users whom the room said to have come or gone. */
  readonly presence: { joined: string[]; left: string[] } = { joined: [], left: [] };

  /** Elsewhere at home, it is put into the room by a hub method, and hears it through its own object. */
  constructor(name: string, load: LoadOptions, home = load.room) {
    this.name = name;
    this.#load = load;
    this.#home = home;
  }

  /** Comes (back), from where it stands or from where it is told. */
  async enter(since = this.#load.ledger.position(this.name, this.#room)): Promise<void> {
    const { endpoint } = this.#load;
    const began = performance.now();
    this.client = await persistently(() =>
      enter(endpoint, `chat/${this.#home}`, {
        user: this.name,
        since: this.#home === this.#room ? since : undefined,
        onFrame: (frame) => this.#hear(frame),
      }),
    );
    if (this.#home !== this.#room) await this.join();
    this.returns.push(performance.now() - began);
  }

  /** Into the room, over a connection that lives elsewhere. */
  async join(): Promise<void> {
    this.#load.ledger.joined(this.name, this.#room);
    await this.client!.result("joinRoom", [this.#room.slice("group:".length)]);
  }

  async leave(): Promise<void> {
    await this.client!.result("leaveRoom", [this.#room.slice("group:".length)]);
  }

  get #room(): string {
    return this.#load.room;
  }

  #hear(frame: Frame): void {
    const { ledger } = this.#load;
    if (frame.method === "$/connected") {
      this.hellos.push(frame.params);
      return ledger.resumed(this.name, frame.params);
    }
    if (frame.position === undefined || frame.room !== this.#room) return;
    ledger.heard(this.name, heardOf(frame));
    if (frame.method !== "$/presence") return;
    this.presence.joined.push(...frame.params.joined.map((one: { userId: string }) => one.userId));
    this.presence.left.push(...frame.params.left);
  }

  /** What it would still hear on the old connection is not counted: a client that cuts has stopped listening. */
  cut(how: Cut): void {
    this.client!.socket.removeAllListeners("message");
    this.client!.cut(how);
    this.#old.push(this.client!);
  }

  get isComplete(): boolean {
    return this.#load.ledger.isComplete(this.name, this.#room);
  }

  [Symbol.dispose](): void {
    for (const client of [...this.#old, ...(this.client ? [this.client] : [])])
      client[Symbol.dispose]();
  }
}

/** A message as the ledger knows it, from a frame or from a row of `$/history`. */
export function heardOf({ method, params, position = "", room = "" }: Frame) {
  const stamp = method === "receiveMessage" ? String(params[1]).split(" ")[0] : undefined;
  const text = JSON.stringify([method, params]);
  return { room, position, text, ...(stamp !== undefined && { stamp }) };
}

export class Publisher implements Disposable {
  readonly name: string;
  /** Where it is attached: the room itself, or one from which it publishes by RPC. */
  readonly #home: string;
  readonly #load: LoadOptions;
  /** Stamps that were sent and not acknowledged, in order. */
  readonly #open = new Set<string>();
  client: Client | undefined;
  /** Answers that were errors: there should be none. */
  readonly refused: string[] = [];
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(name: string, home: string, load: LoadOptions) {
    this.name = name;
    this.#home = home;
    this.#load = load;
  }

  start(everyMs: number): void {
    this.#stopped = false;
    this.#running = this.#run(everyMs);
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stopped) {
      if (!this.client) await this.#connect();
      this.#say(this.#load.ledger.stamp(this.name));
      await pause(everyMs);
    }
    while (this.#open.size > 0) {
      if (!this.client) await this.#connect();
      await pause(5);
    }
  }

  /** So many at once, without waiting for answers. */
  burst(count: number): void {
    for (let i = 0; i < count; i += 1) this.#say(this.#load.ledger.stamp(this.name));
  }

  /** Hears no answers any more on this connection: what it says from now on is unknown to it, and said again. */
  deafen(): void {
    this.client?.socket.removeAllListeners("message");
  }

  async #connect(): Promise<void> {
    const { endpoint } = this.#load;
    const client = await persistently(() =>
      enter(endpoint, `chat/${this.#home}`, { user: this.name, onFrame: () => {} }),
    );
    this.client = client;
    client.socket.once("close", () => {
      if (this.client === client) this.client = undefined;
    });
    for (const stamp of this.#open) this.#say(stamp);
  }

  #say(stamp: string): void {
    this.#open.add(stamp);
    const { client } = this;
    if (!client) return;
    // What is lost with its connection is said again on the next.
    this.#attempt(client, stamp).catch(() => {});
  }

  async #attempt(client: Client, stamp: string): Promise<void> {
    const params = [this.#load.room.slice("group:".length), `${stamp} ${PADDING}`];
    const { error } = await client.call("sendToRoom", params, { idempotencyKey: stamp });
    if (error) this.refused.push(`${stamp}: ${error.data.code}: ${error.message}`);
    else this.#load.ledger.acked(stamp);
    this.#open.delete(stamp);
  }

  /** Done when all it said is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.client?.[Symbol.dispose]();
  }
}

const PADDING = "x".repeat(100);

/** Tries until it is let in: the endpoint may be down. Refusals are final. */
async function persistently(attempt: () => Promise<Client>): Promise<Client> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (/Unexpected server response: 4/.test(String(error))) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** The newest of what the room keeps, as the ledger knows it. */
export async function historyOf({ client }: Subscriber): Promise<ReturnType<typeof heardOf>[]> {
  const { result } = await client!.call("$/history", { limit: 500 });
  const room = client!.hello.params.room as string;
  return result.messages.map((message: Frame) => heardOf({ ...message, room }));
}

/** Waits until all have heard all that was sent, and gives what is wrong: nothing, if all is well. */
export async function barrier(
  ledger: Ledger,
  subscribers: readonly Pick<Subscriber, "name" | "isComplete">[],
): Promise<readonly string[]> {
  const deadline = performance.now() + 15_000;
  const isOver = () => ledger.violations.length > 0 || performance.now() > deadline;
  while (!isOver() && !subscribers.every((one) => one.isComplete)) await pause(10);
  const behind = subscribers.filter((one) => !one.isComplete);
  return [...ledger.violations, ...behind.map(({ name }) => `gap: ${name} has not heard all`)];
}
