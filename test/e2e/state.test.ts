// Rooms with state under stock clients: one place decides which is first, in every protocol; and a `kill -9` of the
// engine loses no run that was answered, repeats none, and rings each schedule once.

import { HubConnectionBuilder, HttpTransportType, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { describe, expect, it, onTestFinished } from "vitest";
import { applyPatch } from "../../src/model/merge-patch.ts";
import type { Endpoint, OwnEndpoint } from "../support/endpoint.ts";
import { chance, sizeOf } from "../support/seed.ts";
import { sharedTestEndpoint } from "../support/shared-endpoint.ts";
import { startTestEngine } from "../support/engine.ts";
import { TEST_MS } from "../support/patience.ts";
import { enter, eventually, Party, type Client, type Frame } from "./client.ts";
import { pause } from "./load.ts";

/** Gives what the bid was answered with, or the code of its refusal. */
type Bidder = (amount: number) => Promise<unknown>;
type Making = (endpoint: Endpoint, user: string) => Promise<Bidder>;

const signalR =
  (isPacked: boolean): Making =>
  async (endpoint, user) => {
    const builder = new HubConnectionBuilder()
      .withUrl(`${endpoint.url}/hubs/tally`, {
        transport: HttpTransportType.WebSockets,
        accessTokenFactory: () => endpoint.token(user),
      })
      .configureLogging(LogLevel.None);
    if (isPacked) builder.withHubProtocol(new MessagePackHubProtocol());
    const connection = builder.build();
    await connection.start();
    onTestFinished(() => connection.stop());
    // Stock clients get the sentence alone.
    return (amount) =>
      connection
        .invoke("Bid", "race", amount)
        .catch((error: Error) =>
          /is bid already/.test(error.message) ? "too_low" : error.message,
        );
  };

const outcomeOf = ({ result, error }: Frame): unknown => (error ? error.data.code : result);

const partySocket: Making = async (endpoint, user) => {
  const party = new Party(endpoint, "tally", "group:race", { user });
  onTestFinished(() => party.party.close());
  return async (amount) => outcomeOf(await party.call("bid", [amount]));
};

const json = (token: string, body: object): RequestInit => ({
  method: "POST",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body: JSON.stringify(body),
});

const posting: Making = async (endpoint, user) => async (amount) => {
  // A user may connect 200 times at once.
  const token = await endpoint.token(`${user}-${amount % 8}`);
  const call = { jsonrpc: "2.0", id: 1, method: "bid", params: ["race", amount] };
  const response = await fetch(`${endpoint.url}/hubs/tally/rpc`, json(token, call));
  return outcomeOf((await response.json()) as Frame);
};

const rest: Making = async (endpoint, user) => {
  const token = await endpoint.token(user, { role: "service" });
  const url = `${endpoint.url}/api/hubs/tally/rooms/group%3Arace/:run/bid`;
  return async (amount) => {
    const response = await fetch(url, json(token, { arguments: [amount] }));
    const { result, code } = (await response.json()) as { result?: unknown; code?: string };
    return code ?? result;
  };
};

const BIDDERS: readonly Making[] = [
  ...[signalR(false), signalR(true), signalR(false)],
  ...[partySocket, partySocket, partySocket],
  ...[posting, posting, rest, rest],
];
const ROUNDS = sizeOf(20, 200);

describe("the race of ten bidders", () => {
  it(
    `over SignalR, partysocket, POST and REST has one winner, ${ROUNDS} times`,
    { timeout: sizeOf(TEST_MS, 300_000) },
    async () => {
      const endpoint = await sharedTestEndpoint();
      const bidders = await Promise.all(BIDDERS.map((make, n) => make(endpoint, `bidder-${n}`)));
      const winners = new Set<number>();
      for (let amount = 1; amount <= ROUNDS; amount++) {
        const outcomes = await Promise.all(bidders.map((bid) => bid(amount)));
        const accepted = outcomes.flatMap((one, bidder) => (one === amount ? [bidder] : []));
        expect(accepted, `${JSON.stringify(outcomes)}`).toHaveLength(1);
        expect(outcomes.filter((one) => one === "too_low")).toHaveLength(bidders.length - 1);
        winners.add(accepted[0]!);
      }
    },
  );
});

const KILLS = sizeOf(3, 200);
const ROOM = "tally/group:killed";

/** One run after another, each repeated under its key until it is answered. */
class Writer {
  readonly name: string;
  readonly #endpoint: Endpoint;
  readonly #isSocket: boolean;
  #client: Client | undefined;
  #isStopped = false;
  /** Runs that were answered. */
  steps = 0;
  readonly schedules: string[] = [];
  readonly refused: string[] = [];

  constructor(endpoint: Endpoint, name: string, isSocket: boolean) {
    [this.#endpoint, this.name, this.#isSocket] = [endpoint, name, isSocket];
  }

  async write(): Promise<void> {
    while (!this.#isStopped) {
      const step = this.steps + 1;
      await this.#persistently("step", [this.name, step], `${this.name}/${step}`);
      this.steps = step;
      if (step % 5 !== 0) continue;
      const id = `${this.name}-${step}`;
      await this.#persistently("later", [id], `later/${id}`);
      this.schedules.push(id);
    }
    this.#client?.[Symbol.dispose]();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #persistently(action: string, params: unknown[], key: string): Promise<void> {
    for (;;) {
      const code = await this.#attempt({ action, params, idempotencyKey: key }).catch(() => "lost");
      if (code === undefined) return;
      if (code === "out_of_step") return void this.refused.push(`${key}: ${code}`);
      await pause(20);
    }
  }

  /** The code of a refusal. */
  async #attempt(run: object): Promise<string | undefined> {
    if (this.#isSocket) {
      if (!this.#client || this.#client.socket.readyState > 1)
        this.#client = await enter(this.#endpoint, ROOM, { user: this.name });
      return (await this.#client.call("$/run", run)).error?.data.code;
    }
    const call = { jsonrpc: "2.0", id: 1, method: "$/run" };
    const params = { room: "group:killed", ...run };
    const token = await this.#endpoint.token(`${this.name}-${this.steps % 20}`);
    const url = `${this.#endpoint.url}/hubs/tally/rpc`;
    const response = await fetch(url, json(token, { ...call, params }));
    return ((await response.json()) as Frame).error?.data.code;
  }
}

interface Tally {
  readonly steps: Readonly<Record<string, number>>;
  readonly rings: Readonly<Record<string, number>>;
}

/** Keeps a copy by snapshots and patches, over all kills. */
class Reader {
  copy: unknown;
  position: string | undefined;
  readonly violations: string[] = [];
  #client: Client | undefined;

  async enter(endpoint: Endpoint): Promise<void> {
    const onFrame = (frame: Frame) => this.#take(frame);
    const client = await enter(endpoint, ROOM, { user: "reader", since: this.position, onFrame });
    this.#client = client;
  }

  #take({ method, params, position }: Frame): void {
    if (method === "$/connected") {
      if ("state" in params) [this.copy, this.position] = [params.state, params.position];
      else if (!params.recovered) this.violations.push("neither state nor recovery");
    }
    if (method !== "$/state") return;
    this.copy = "state" in params ? params.state : applyPatch(this.copy, params.patch);
    this.position = position;
  }

  leave(): void {
    this.#client?.[Symbol.dispose]();
  }
}

async function stateOf(endpoint: Endpoint): Promise<Tally> {
  const token = await endpoint.token("shop", { role: "service" });
  const url = `${endpoint.url}/api/hubs/tally/rooms/group%3Akilled/state?whole=true`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { state: Tally }).state;
}

describe("[F1] an engine that is killed while actions run", () => {
  it(
    `does each answered run once and rings each schedule once, over ${KILLS} kills`,
    { timeout: sizeOf(TEST_MS, 1_800_000) },
    async () => {
      const dice = chance();
      const endpoint: OwnEndpoint = await startTestEngine();
      onTestFinished(() => endpoint[Symbol.asyncDispose]());
      const writers = [0, 1, 2, 3, 4].map((n) => new Writer(endpoint, `w${n}`, n < 3));
      const writing = writers.map((writer) => writer.write());
      const reader = new Reader();
      onTestFinished(() => reader.leave());
      await reader.enter(endpoint);
      for (let kill = 0; kill < KILLS; kill++) {
        await pause(200 + dice.below(600));
        await endpoint.kill();
        await endpoint.restart();
        await reader.enter(endpoint);
      }
      for (const writer of writers) writer.stop();
      await Promise.all(writing);
      const schedules = writers.flatMap((one) => one.schedules);
      await eventually(async () => {
        const { rings } = await stateOf(endpoint);
        return schedules.every((id) => rings[id] !== undefined);
      }, "every schedule has rung");
      const state = await stateOf(endpoint);
      expect(writers.flatMap(({ refused }) => refused)).toEqual([]);
      expect(state.steps).toEqual(Object.fromEntries(writers.map((one) => [one.name, one.steps])));
      expect(Object.values(state.rings).filter((count) => count !== 1)).toEqual([]);
      expect(schedules.length).toBeGreaterThan(KILLS);
      await eventually(
        async () => JSON.stringify(sorted(reader.copy)) === JSON.stringify(sorted(state)),
        "the reader's copy is the state",
      );
      expect(reader.violations).toEqual([]);
    },
  );
});

/** With keys in order: patches add them in another one. */
const sorted = (value: unknown): unknown =>
  typeof value !== "object" || value === null
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, held]) => [key, sorted(held)]),
      );
