// Rooms with state through `backend` and `hubContext`, against the real endpoint.

import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { backend } from "../../../src/client/backend/index.ts";
import { hubContext, type EndpointEnv } from "../../../src/server.ts";
import { KEY, ORIGIN } from "../../edge/rest/service.ts";
import { enter } from "../../rooms/client.ts";
import { AuctionHub } from "../../support/state-hubs.ts";

const options = { url: `${ORIGIN}/hubs/auctions`, accessKey: KEY, fetcher: exports.default };
const auctions = backend<AuctionHub>(options);

const SERVICES = [
  ["a backend", auctions],
  ["a hub's context", hubContext(env as unknown as EndpointEnv, AuctionHub)],
] as const;

const failure = (work: Promise<unknown>) => work.catch((error: { code: string }) => error.code);

describe.each(SERVICES)("of %s, a room", (_, hub) => {
  it("runs actions, and gives view, state and schedule", async () => {
    const name = crypto.randomUUID();
    const vase = hub.group(name);
    using alice = await enter(`auctions/group:${name}`);
    expect(await vase.run.bid(120)).toBe(120);
    expect((await alice.said("$/state")).params).toEqual({
      patch: { price: 120, leader: "service" },
    });
    const { state, position } = await vase.view();
    expect(state).toEqual({ item: name, price: 120, leader: "service", sold: false });
    expect(await vase.state()).toEqual({ state, position });
    expect(await vase.schedule()).toMatchObject([{ id: "close", action: "close", args: [] }]);
    expect(await vase.cancel("close")).toBe(true);
    expect(await vase.cancel("close")).toBe(false);
    expect(await failure(vase.run.bid(1))).toBe("too_low");
  });

  it("runs an action only where it still stands", async () => {
    const vase = hub.group(crypto.randomUUID());
    const { position } = await vase.view();
    expect(await vase.ifAt(position).run.bid(7)).toBe(7);
    expect(await failure(vase.ifAt(position).run.bid(8))).toBe("conflict");
  });

  it("becomes a copy of another, or of a document", async () => {
    const [one, two, three] = [1, 2, 3].map(() => crypto.randomUUID());
    await hub.group(one!).run.bid(1);
    const { position } = await hub.group(one!).state();
    await hub.group(one!).run.bid(2);
    await hub.group(two!).fork(`group:${one}`, position);
    expect((await hub.group(two!).view()).state.price).toBe(1);
    await hub.group(three!).import(await hub.group(one!).export());
    expect((await hub.group(three!).view()).state).toMatchObject({ item: one, price: 2 });
    expect(await failure(hub.group(three!).fork(`group:${one}`))).toBe("conflict");
    await hub.group(three!).erase();
    expect((await hub.group(three!).view()).state).toMatchObject({ item: three, price: 0 });
    expect(await hub.group(three!).reload()).toMatch(/:\d+$/);
  });
});

/** Loses the first answer: the endpoint has executed the request. */
function lossy() {
  let count = 0;
  const fetcher = {
    async fetch(request: Request) {
      const response = await exports.default.fetch(request);
      if (++count > 1) return response;
      await response.arrayBuffer();
      throw new TypeError("Connection lost.");
    },
  };
  const hub = backend<AuctionHub>({ ...options, fetcher, backoff: { baseMs: 1 } });
  return { hub, attempts: () => count };
}

describe("a backend", () => {
  it("[ST4] runs an action once whose answer was lost", async () => {
    const name = crypto.randomUUID();
    const first = lossy();
    expect(await first.hub.group(name).run.bid(5)).toBe(5);
    const { position } = await auctions.group(name).view();
    const second = lossy();
    // A second run would find another position, and a bid that is not higher.
    expect(await second.hub.group(name).ifAt(position).run.bid(6)).toBe(6);
    expect([first.attempts(), second.attempts()]).toEqual([2, 2]);
    const offset = (at: string) => Number(at.split(":")[1]);
    const { state, position: last } = await auctions.group(name).view();
    // A change and a message for each bid, and one to the bidder before.
    expect([state.price, offset(last) - offset(position)]).toEqual([6, 2]);
  });

  it("imports and forks once: a second attempt would be refused by what the first one did", async () => {
    const name = crypto.randomUUID();
    await auctions.group(name).run.bid(1);
    const exported = await auctions.group(name).export();
    for (const work of ["import", "fork"] as const) {
      const { hub, attempts } = lossy();
      const copy = crypto.randomUUID();
      const room = hub.group(copy);
      const asked = work === "import" ? room.import(exported) : room.fork(`group:${name}`);
      expect([await failure(asked), attempts()]).toEqual(["unreachable", 1]);
      expect((await auctions.group(copy).view()).state.price).toBe(1);
    }
  });

  it("cancels once, and gives false where the answer to that was lost", async () => {
    const name = crypto.randomUUID();
    await auctions.group(name).run.bid(1);
    const { hub, attempts } = lossy();
    expect([await hub.group(name).cancel("close"), attempts()]).toEqual([false, 2]);
    expect(await auctions.group(name).schedule()).toEqual([]);
  });

  it("runs an action once under a key of the application's own", async () => {
    const room = auctions.with({ idempotencyKey: "k" }).group(crypto.randomUUID());
    expect([await room.run.bid(5), await room.run.bid(5)]).toEqual([5, 5]);
  });
});
