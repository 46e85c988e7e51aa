// Our client on a whole hub, against the real endpoint: several rooms on one socket while the server is killed, and the
// same calls over HTTP.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connect, type HubConnection } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { barrier, heardOf, pause, Publisher } from "./load.ts";

let endpoint: OwnEndpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const enter = (name: string): HubConnection<ChatHub> => {
  const whole = connect<ChatHub>(`${endpoint.url}/hubs/chat`, {
    token: () => endpoint.token(name),
    backoff: { baseMs: 20, capMs: 100 },
  });
  onTestFinished(() => whole.close());
  return whole;
};

/** Tells each room's ledger whatever is heard there. */
function watch(whole: HubConnection<ChatHub>, ledgers: ReadonlyMap<string, Ledger>): void {
  whole.onMessage(({ method, params, room = "", position }) => {
    const heard = position && heardOf({ method, params: [...params], room, position });
    if (heard) ledgers.get(room)?.heard("alice", heard);
  });
}

const ROOMS = ["group:one", "group:two", "group:three"] as const;

describe("a client of a whole hub", () => {
  it("misses nothing in any of its rooms while the server is killed and comes back, twice", async () => {
    using scope = new DisposableStack();
    const ledgers = new Map(ROOMS.map((room) => [room as string, new Ledger()]));
    const alice = enter("alice");
    const outcomes: string[] = [];
    alice.onRecovered(({ room }) => outcomes.push(`${room} recovered`));
    alice.onReload(({ room }) => outcomes.push(`${room} reload`));
    for (const room of ROOMS) {
      // oxlint-disable-next-line no-await-in-loop -- three
      const { position } = await alice.join(room);
      ledgers.get(room)!.resumed("alice", { room, position, recovered: false });
    }
    watch(alice, ledgers);
    const publishers = ROOMS.map((room) =>
      scope.use(new Publisher("p", room, { endpoint, ledger: ledgers.get(room)!, room })),
    );
    for (const publisher of publishers) publisher.start(20);
    for (let kills = 0; kills < 2; kills += 1) {
      const back = Promise.withResolvers<void>();
      alice.onRecovered(() => outcomes.length === 3 * (kills + 1) && back.resolve());
      // oxlint-disable-next-line no-await-in-loop -- one kill after another
      await pause(500);
      // oxlint-disable-next-line no-await-in-loop
      await endpoint.restart();
      // oxlint-disable-next-line no-await-in-loop
      await back.promise;
    }
    await Promise.all(publishers.map((one) => one.stop()));
    for (const [room, ledger] of ledgers) {
      const waiting = {
        name: "alice",
        get isComplete() {
          return ledger.isComplete("alice", room);
        },
      };
      // oxlint-disable-next-line no-await-in-loop -- a room after the other
      expect(await barrier(ledger, [waiting])).toEqual([]);
      expect(ledger.totals.sent).toBeGreaterThan(20);
    }
    expect(outcomes.toSorted()).toEqual(
      ROOMS.flatMap((room) => [`${room} recovered`, `${room} recovered`]).toSorted(),
    );
  });
});

describe("a call over HTTP", () => {
  const post = async (body: unknown, signal?: AbortSignal): Promise<Response> =>
    fetch(`${endpoint.url}/hubs/chat/rpc?access_token=${await endpoint.token("bob")}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  const say = (text: string, id?: number) => ({
    ...{ jsonrpc: "2.0", method: "sendToRoom", params: ["http", text] },
    ...(id !== undefined && { id }),
  });

  it("reaches whoever is in the room, and is answered when it is saved", async () => {
    const alice = enter("alice");
    const heard: string[] = [];
    alice.on("receiveMessage", (_user, text) => heard.push(text));
    await alice.join("group:http");
    const single = await post(say("one", 1));
    expect([single.status, await single.json()]).toEqual([
      200,
      { jsonrpc: "2.0", id: 1, result: null },
    ]);
    expect((await post([say("two"), say("three", 2)])).status).toBe(200);
    expect((await post(say("four"))).status).toBe(204);
    await expect.poll(() => heard).toEqual(["one", "two", "three", "four"]);
  });
});
