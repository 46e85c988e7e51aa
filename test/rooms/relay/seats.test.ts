// The seats that a relay reserves for clients that are about to connect, and their tokens.

import { expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import { Seats } from "../../../src/rooms/relay/seats.ts";
import { objectStorageOf, range, withStorage } from "../storage.ts";

const REQUEST = { hasSecretToken: true, statefulReconnect: false, pings: false, grant: undefined };
const GRANTED = { ...REQUEST, grant: { claims: { plan: "gold" } } };
const SEAT_MS = 15_000;
const START = 1_700_000_000_000;

interface Steered {
  readonly seats: Seats;
  readonly kv: ReturnType<typeof objectStorageOf>["kv"];
  /** State of the relay: its time, its connections, and how many of those a sweep would end. */
  readonly relay: { now: number; connections: number; lost: number };
  /** Keys of grants that were read by prefix. */
  readonly read: { count: number };
}

/** Runs with seats of a relay for three connections, two of each user, unless `limits` has others. */
const withSeats = (run: (steered: Steered) => Promise<void>, limits: object = {}) =>
  withStorage(async (storage) => {
    const { kv } = objectStorageOf(storage);
    const [relay, read] = [{ now: START, connections: 0, lost: 0 }, { count: 0 }];
    const counted = {
      ...kv,
      list(options: SyncKvListOptions) {
        const found = [...kv.list(options)];
        read.count += found.length;
        return found;
      },
    };
    const seats = new Seats({
      ...{ address: { tenant: "t", hub: "h", relay: "any.0.0" }, kv: counted as never },
      limits: { ...LIMITS, connectionsPerRelay: 3, connectionsPerUser: 2, ...limits },
      ...{ now: () => relay.now, connectionCount: () => relay.connections },
      connectionsOf: () => 0,
      endLost() {
        relay.connections -= relay.lost;
        relay.lost = 0;
      },
    });
    await run({ seats, kv, relay, read });
  });

const many = { connectionsPerRelay: 1_000 };

it("reads the grants of others once in a while, and deletes those whose clients did not come", () =>
  withSeats(async ({ seats, kv, relay, read }) => {
    for (const n of range(1, 300)) await seats.reserve({ id: `user${n}` }, GRANTED as never);
    const grants = () => [...kv.list({ prefix: "grant:" })].length;
    expect([grants(), read.count]).toEqual([300, 0]);
    relay.now += 20_000;
    await seats.reserve({ id: "late" }, GRANTED as never);
    expect([grants(), read.count]).toEqual([1, 300]);
  }, many));

it("keeps the grants of clients that may still come", () =>
  withSeats(async ({ seats, relay }) => {
    await seats.reserve({ id: "ann" }, GRANTED as never);
    relay.now += SEAT_MS - 1;
    const bob = await seats.reserve({ id: "bob" }, GRANTED as never);
    relay.now += 1;
    await seats.reserve({ id: "cid" }, GRANTED as never);
    expect(seats.take(bob!.token)).toEqual(GRANTED.grant);
  }));

it("counts seats with connections, until their clients come or the seats lapse", () =>
  withSeats(async ({ seats, relay }) => {
    const reserve = (id: string) => seats.reserve({ id }, REQUEST);
    relay.connections = 1;
    const [ann, bob] = [await reserve("ann"), await reserve("bob")];
    expect([ann, bob, await reserve("cid")].map((seat) => seat !== undefined)).toEqual([
      ...[true, true, false],
    ]);
    seats.take(ann!.token);
    expect(seats.isFull).toBe(false);
    relay.connections = 2;
    expect(seats.isFull).toBe(true);
    relay.now += SEAT_MS;
    expect(seats.isFull).toBe(false);
  }));

it("ends lost connections before it counts as full, and only then was full lately", () =>
  withSeats(async ({ seats, kv, relay }) => {
    [relay.connections, relay.lost] = [3, 1];
    expect([seats.isFull, seats.wasFullLately]).toEqual([false, false]);
    relay.connections = 3;
    expect([seats.isFull, seats.wasFullLately, seats.idleFrom]).toEqual([
      ...[true, true, START + 3_600_000],
    ]);
    relay.now += 1_000;
    expect([seats.isFull, kv.get("full-at")]).toEqual([true, START]);
    relay.now = START + 3_600_000;
    expect(seats.wasFullLately).toBe(false);
  }));

it("counts the seats of a user with the user's own, and no others", () =>
  withSeats(async ({ seats, relay }) => {
    const reserve = (id: string) => seats.reserve({ id }, REQUEST);
    for (const id of ["ann", "bob", "cid", "ann"]) await reserve(id);
    await expect(reserve("ann")).rejects.toMatchObject({ code: "too_many_connections" });
    expect(await reserve("bob")).toBeDefined();
    relay.now += SEAT_MS;
    expect(await reserve("ann")).toBeDefined();
  }, many));

it("a token begins one connection, within its time and for its user", () =>
  withSeats(async ({ seats, relay }) => {
    const { token } = (await seats.reserve({ id: "ann" }, REQUEST))!;
    expect(await seats.read(token, "bob")).toBeUndefined();
    relay.now += SEAT_MS - 1;
    // Two requests with the same token, which both wait for the user's account.
    const [first, second] = [await seats.read(token, "ann"), await seats.read(token, "ann")];
    expect([first!.isLapsed(), second!.isLapsed()]).toEqual([false, false]);
    seats.take(token);
    expect([second!.isLapsed(), (await seats.read(token, "ann"))!.isLapsed()]).toEqual([
      ...[true, true],
    ]);
    const { token: other } = (await seats.reserve({ id: "cid" }, REQUEST))!;
    seats.take(other);
    expect(second!.isLapsed()).toBe(true);
    relay.now += 1;
    seats.take(other);
    expect((await seats.read(token, "ann"))!.isLapsed()).toBe(true);
  }));

it("tokens are invalid once the storage was deleted", () =>
  withSeats(async ({ seats, kv }) => {
    const { token } = (await seats.reserve({ id: "ann" }, REQUEST))!;
    kv.delete("seat-key");
    seats.forget();
    const { token: fresh } = (await seats.reserve({ id: "ann" }, REQUEST))!;
    expect(await seats.read(token, "ann")).toBeUndefined();
    expect(await seats.read(fresh, "ann")).toBeDefined();
  }));
