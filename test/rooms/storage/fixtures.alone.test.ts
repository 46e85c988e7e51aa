// Every fixture is opened by the objects of today: whatever version its storage has, they know all that it holds.

import { env } from "cloudflare:workers";
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parsePosition } from "../../../src/model/topic.ts";
import { VERSION_KEY } from "../../../src/rooms/platform/storage-version.ts";
import { ACCOUNT_MIGRATIONS } from "../../../src/rooms/account/account-migrations.ts";
import { RELAY_MIGRATIONS } from "../../../src/rooms/relay/relay-migrations.ts";
import { INDEX_MIGRATIONS, ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import type { Receiver } from "../../webhooks/receiver.ts";
import { roomAt } from "../client.ts";
import { connected, open, relayOf, SignalR, type Negotiated } from "../relay/client.ts";
import {
  dump,
  inObject,
  load,
  parseFixture,
  schemaKeyOf,
  schemaOf,
  SCHEMAS,
  type ObjectAddress,
} from "./fixture.ts";
import {
  account,
  BEHIND,
  configure,
  HUB,
  indexOf,
  MEMBERSHIP,
  PLAIN,
  publish,
  ROOM,
  TENANT,
  unconfigure,
} from "./scene.ts";
import { unlessRefused } from "../../../src/rooms/rpc/fault.ts";
import type { MissedView } from "../../../src/rooms/rpc/log-entry.ts";

const FILES = import.meta.glob("../../fixtures/storage/*.json", {
  eager: true,
  query: "?raw",
  import: "default",
});
const FIXTURES = Object.entries(FILES).map(
  ([path, text]) => [path.split("/").at(-1)!, parseFixture(text)] as const,
);
const NEWEST = {
  room: ROOM_MIGRATIONS.length + 1,
  relay: RELAY_MIGRATIONS.length + 1,
  account: ACCOUNT_MIGRATIONS.length + 1,
  index: INDEX_MIGRATIONS.length + 1,
};
const newestOf = ({ kind, name }: ObjectAddress): number =>
  NEWEST[name.split("/")[2] === "all" ? "index" : kind];

let receiver: Receiver;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  receiver = configure();
});
afterEach(() => {
  unconfigure();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
const wordOf = ({ params }: { params: string }): string => (JSON.parse(params) as string[])[0]!;
const membersOf = async (room: RoomRpc) =>
  (await room.presence({})).members.map(({ userId, state }) => [userId, state]);

/** The client is back on another socket. */
async function back({ connectionToken }: Negotiated, user: string): Promise<WebSocket> {
  const { webSocket, status } = await open(HUB, connectionToken, { user });
  if (!webSocket) throw new Error(`Refused: ${status}`);
  return webSocket;
}

it("keeps a fixture of the first version, and one of the newest", () => {
  const versions = FIXTURES.map(([, fixture]) => fixture.versions);
  expect(versions).toContainEqual({ room: 1, relay: 1, account: 1 });
  expect(versions).toContainEqual(NEWEST);
});

describe.each(FIXTURES)("objects that start on %s", (_, fixture) => {
  const { facts, objects } = fixture;
  const { log } = facts;
  beforeEach(() => load(fixture));

  it("bring it to the tables and keys of today", async () => {
    for (const object of objects) {
      const started = await dump(object);
      const schema = SCHEMAS[object.kind];
      const { tables, keys } = schemaOf(started);
      for (const [table, columns] of Object.entries(tables))
        expect([object.name, table, columns]).toEqual([object.name, table, schema.tables[table]]);
      expect(keys.filter((key) => schemaKeyOf(schema, key) === undefined)).toEqual([]);
      expect(started.keys[VERSION_KEY] ?? 1).toBe(newestOf(object));
    }
  });

  it("have the log by position, and number on without a gap", async () => {
    const missed = unlessRefused<MissedView>(await roomAt(ROOM).missed(parsePosition(log.since)));
    expect(missed).toMatchObject({
      position: { epoch: log.epoch, offset: log.offset },
      recovered: true,
    });
    expect(missed.entries.map(wordOf)).toEqual(log.missed);
    const next = { epoch: log.epoch, offset: log.offset + 1 };
    expect(await publish(ROOM, "after")).toEqual(next);
  });

  it("have a log also where they were made with the fewest tables", async () => {
    const { entries, position } = await roomAt(PLAIN).history({});
    expect([entries.map(wordOf), position.offset]).toEqual([["plain"], 1]);
  });

  it("begin a new epoch where a crash may have lost numbers", async () => {
    const missed = unlessRefused<MissedView>(await roomAt(BEHIND).missed(facts.behind));
    expect(missed.recovered).toBe(false);
    expect(missed.position.epoch).not.toBe(facts.behind.epoch);
  });

  it("show who is present, and say who left once their grace is over", async () => {
    const there = [
      ["ann", "busy"],
      ["bob", null],
      ["cyn", null],
      ["dan", null],
    ];
    expect(await membersOf(roomAt(ROOM))).toEqual(there);
    pass(6_000);
    await runDurableObjectAlarm(roomAt(ROOM));
    expect(await membersOf(roomAt(ROOM))).toEqual([there[1], there[2]]);
  });

  it("list rooms and relays, and go on with their totals", async () => {
    expect(await indexOf(roomAt(`${HUB}/all`))).toMatchObject(facts.index);
  });

  it("let a client resume its connection, with every frame it has not confirmed", async () => {
    using bob = new SignalR(await back(facts.bob, "bob"), facts.bob, true);
    await bob.hears(facts.unconfirmed.at(-1)!);
    expect(bob.texts).toEqual(facts.unconfirmed);
    expect(bob.heard[0]!.type).toBe(9);
    bob.say({ type: 9, sequenceId: 3 });
    await publish(ROOM, "after");
    await bob.hears("after");
    expect(bob.texts).toEqual([...facts.unconfirmed, "after"]);
    expect((await bob.call("Members", "r1")).result.users).toBeGreaterThan(1);
  });

  it("have frames of bytes as well", async () => {
    const socket = await back(facts.cyn, "cyn");
    const frames: string[] = [];
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      frames.push(new TextDecoder("latin1").decode(data as ArrayBuffer));
    });
    socket.accept();
    const heard = () => facts.unconfirmed.filter((word) => frames.join("").includes(word));
    await expect.poll(heard, { interval: 5 }).toEqual(facts.unconfirmed);
    socket.close(1000);
  });

  it("put a client that names itself into its groups again, with what it missed", async () => {
    using dan = await connected(HUB, { user: "dan", query: "client=phone" });
    await dan.hears(log.missed.at(-1)!);
    await publish(ROOM, "after");
    await dan.hears("after");
    expect(dan.texts).toEqual([...log.missed, "after"]);
  });

  it("know seats, what a webhook granted for one, and which relay was full", async () => {
    using kim = new SignalR(await back(facts.kim, "kim"), facts.kim);
    kim.say({ protocol: "json", version: 1 });
    await kim.shaken;
    await kim.call("Whoami");
    await publish(`${HUB}/group:granted`, "for kim");
    await kim.hears("for kim");
    const wasFull = await inObject({ kind: "relay", name: facts.fullRelay }, (__, object) => {
      const { parts } = object as { parts: { seats: { wasFullLately: boolean } } };
      return parts.seats.wasFullLately;
    });
    expect(wasFull).toBe(true);
  });

  it("send events that waited, first and in order, and report a connection that is gone", async () => {
    receiver.answer = () => new Response(null, { status: 204 });
    await roomAt(ROOM).info();
    pass(10_000);
    await runDurableObjectAlarm(roomAt(ROOM));
    await receiver.until(() => receiver.in(ROOM, "disconnected").length > 0);
    const ids = receiver.taken.map(({ id }) => id).filter((id) => facts.events.includes(id));
    expect(ids).toEqual(facts.events);
    expect(receiver.in(ROOM, "disconnected").map(({ data }) => [data.userId, data.reason])).toEqual(
      [["ann", "The server lost the connection."]],
    );
  });

  it("refuse users who are banned and tokens that are revoked", async () => {
    const iat = fixture.recordedAt / 1000 - 3_600;
    expect(await account("eve").check({ id: "eve" })).toEqual({
      code: "banned",
      message: "This user is banned: Spam.",
    });
    const codeOf = async (user: string, claims: object) =>
      (await account(user).check({ id: user, ...claims }))?.code;
    expect(await codeOf("fay", { jti: "j1" })).toBe("token_revoked");
    expect(await codeOf("fay", { jti: "j2" })).toBeUndefined();
    expect(await codeOf("gus", { iat })).toBe("token_revoked");
    expect(await codeOf("gus", { iat: iat + 7_200 })).toBeUndefined();
  });

  it("know where a user's connections are", async () => {
    expect(await account("bob").command(HUB, {}, [])).toBe(1);
    const here = { room: "group:r1", after: "", limit: 10 };
    const members = await relayOf(HUB, facts.bob.connectionId).membersIn(here);
    expect(members.map(({ userId }) => userId).toSorted()).toEqual(["bob", "cyn"]);
  });

  it("put a user into the groups that a service gave, until they end", async () => {
    using hal = await connected(HUB, { user: "hal" });
    await hal.call("Whoami");
    await publish(`${HUB}/group:staff`, "for staff");
    await hal.hears("for staff");
    pass(MEMBERSHIP * 1000 + 1_000);
    const name = accountName({ tenant: TENANT, user: "hal" });
    expect(await runDurableObjectAlarm(env.ACCOUNTS.getByName(name))).toBe(true);
    expect(await account("hal").isInGroup(HUB, "staff")).toBe(false);
  });
});
