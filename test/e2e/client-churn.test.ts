// Our own client while its connections are cut, over and over, under load: nothing is lost, repeated or reordered.

import { createServer, connect as dial, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Connection } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { chance } from "../support/seed.ts";
import { TEST_MS } from "../support/patience.ts";
import { eventually } from "./client.ts";
import { heardOf, pause } from "./load.ts";

let endpoint: Endpoint;
let network: Network;
beforeAll(async () => {
  endpoint = await sharedEndpoint();
  network = await startNetwork(endpoint.port);
});
afterAll(async () => {
  network[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

const LONG = process.env["DORMOUSE_LONG"] === "1";
const CYCLES = LONG ? 1_000 : 100;
const [SUBSCRIBERS, PUBLISHERS] = [5, 2];
/** Between what one publisher says: with two of them the room's 100 messages are two seconds. */
const EVERY_MS = 50;
const ROOM = "group:churn";

/** A wire that can be cut, between the clients and the endpoint. */
interface Network extends Disposable {
  readonly port: number;
  /** Cuts whatever the client has: by RST, or by the end of both directions without a Close frame. */
  cut(client: string, how: "reset" | "fin"): number;
}

async function startNetwork(to: number): Promise<Network> {
  const wires = new Map<string, Set<Socket>>();
  const server = createServer((near) => {
    const far = dial(to, "127.0.0.1");
    near.on("error", () => far.destroy()).on("close", () => far.destroy());
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
    near.once("data", (head: Buffer) => {
      const name = /[?&]client=(\w+)/.exec(head.toString())?.[1] ?? "";
      const mine = wires.get(name) ?? new Set();
      wires.set(name, mine.add(near));
      near.on("close", () => mine.delete(near));
      far.write(head);
      near.pipe(far).pipe(near);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut(client, how) {
      const mine = [...(wires.get(client) ?? [])];
      for (const wire of mine) void (how === "reset" ? wire.resetAndDestroy() : wire.destroy());
      return mine.length;
    },
    [Symbol.dispose]() {
      for (const wire of [...wires.values()].flatMap((mine) => [...mine])) wire.destroy();
      server.close();
    },
  };
}

const enter = (name: string): Connection<ChatHub> =>
  connect<ChatHub>(`http://127.0.0.1:${network.port}/hubs/chat?client=${name}`, {
    room: ROOM,
    token: () => endpoint.token(name),
    backoff: { baseMs: 50, capMs: 200 },
  });

/** Tells the ledger whatever the client is told. */
function watched(name: string, ledger: Ledger) {
  const connection = enter(name);
  const returns: boolean[] = [];
  const reloads: string[] = [];
  connection.onConnected((hello) => {
    ledger.resumed(name, hello);
    returns.push(hello.recovered);
  });
  connection.onReload(({ room }) => reloads.push(room));
  connection.onMessage(({ method, params, room, position }) => {
    if (room !== ROOM || position === undefined) return;
    ledger.heard(name, heardOf({ method, params, room, position }));
  });
  return { name, connection, returns, reloads };
}

/** Says something now and then, under a key each, until it is stopped; done when all is acknowledged. */
function publishing(name: string, ledger: Ledger) {
  const connection = enter(name);
  const work: Promise<unknown>[] = [];
  const stopped = new AbortController();
  const say = async (stamp: string): Promise<void> => {
    const { invoke } = connection.with({ idempotencyKey: stamp });
    await invoke.sendToRoom("churn", `${stamp} ${"x".repeat(100)}`);
    ledger.acked(stamp);
  };
  const running = (async () => {
    // A busy machine takes seconds for the first connection: what waited for it would be more than a room's log keeps.
    await connection.ready;
    for (; !stopped.signal.aborted; await pause(EVERY_MS)) work.push(say(ledger.stamp(name)));
  })();
  const stop = async (): Promise<void> => {
    stopped.abort();
    await running;
    await Promise.all(work);
  };
  return { name, connection, stop };
}

describe("a client whose connection is cut and comes back", () => {
  it(
    `[R1] hears everything once and in order, over ${CYCLES} cuts under load`,
    { timeout: LONG ? 600_000 : TEST_MS },
    async () => {
      const dice = chance();
      const ledger = new Ledger();
      const names = (kind: string, count: number) =>
        Array.from({ length: count }, (_, i) => kind + i);
      const subscribers = names("s", SUBSCRIBERS).map((name) => watched(name, ledger));
      const publishers = names("p", PUBLISHERS).map((name) => publishing(name, ledger));
      const all = [...subscribers, ...publishers];
      using scope = new DisposableStack();
      for (const { connection } of all) scope.defer(() => connection.close());
      await Promise.all(all.map(({ connection }) => connection.ready));
      let left = CYCLES;
      const churn = async ({ name, connection }: (typeof all)[number]): Promise<void> => {
        while (left-- > 0) {
          await pause(dice.below(500));
          const back = new Promise<unknown>((resolve) => connection.onConnected(resolve));
          expect(network.cut(name, dice.pick(["reset", "fin"]))).toBe(1);
          await back;
        }
      };
      await Promise.all(all.slice(1).map(churn));
      await Promise.all(publishers.map((one) => one.stop()));
      await eventually(
        async () => subscribers.every(({ name }) => ledger.isComplete(name, ROOM)),
        "all have heard all",
      );
      const { messages } = await subscribers[0]!.connection.history({ limit: 500 });
      ledger.history(messages.map((message) => heardOf({ ...message, room: ROOM })));
      expect(ledger.violations).toEqual([]);
      expect(ledger.totals.acked).toBe(ledger.totals.sent);
      expect(subscribers.flatMap(({ reloads }) => reloads)).toEqual([]);
      expect(subscribers.flatMap(({ returns }) => returns.slice(1)).every(Boolean)).toBe(true);
      const cuts = subscribers.reduce((sum, { returns }) => sum + returns.length - 1, 0);
      expect(cuts).toBeGreaterThan(CYCLES / 3);
    },
  );
});
