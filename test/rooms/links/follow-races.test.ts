// Calls of the follow protocol that are late, lost or repeated, between the real parts of both sides: no member is deaf
// for it, or hears what was said before it came.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { User } from "../../../src/model/user.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import { FollowedRooms } from "../../../src/rooms/links/followed-rooms.ts";
import type { RoomLog } from "../../../src/rooms/log/room-log.ts";
import { DEFAULTS } from "../../../src/model/options.ts";
import { Followers } from "../../../src/rooms/room/followers.ts";
import type { Entry } from "../../../src/rooms/rpc/log-entry.ts";
import type { FullFollow, MemberCount, RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { entries } from "../storage.ts";

type World = ReturnType<typeof world>;

const JOIN = { topic: { kind: "group", name: "g" }, most: 10, cause: "hub" } as const;

/** Calls that are under way go on. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

const inObject = (run: (storage: DurableObjectStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.ROOMS.getByName(`default/chat/group/${crypto.randomUUID()}`), (_, state) =>
    run(state.storage),
  );

function world(storage: DurableObjectStorage, room: string) {
  const all: Entry[] = [];
  const log = {
    get position() {
      return { epoch: "e", offset: all.length };
    },
    after: (offset: number) => (offset < 0 ? undefined : all.slice(offset)),
  } as RoomLog;
  const connections = new Set<Connection>();
  /** Each connection's entries, by its id and their offsets. */
  const heard: [string, number][] = [];
  const counts = new Map<string, number>();
  /** Alarms that the follower requested, in milliseconds from then. */
  const armed: number[] = [];
  /** Replaced by a test, to hold or lose calls. */
  const net = {
    follow: async <T>(call: () => Promise<T>): Promise<T> => call(),
    unfollow: async <T>(call: () => Promise<T>): Promise<T> => call(),
  };
  const followers: Followers = new Followers({
    ...{
      room,
      storage,
      log,
      hasLostEntries: false,
      durability: "logged",
      history: DEFAULTS.history,
    },
    now: () => Date.now(),
    arm: () => {},
    settled: async () => {},
    waitUntil: () => {},
    removed: () => {},
    stubs: () =>
      ({ deliver: async (delivery) => followed.deliver(delivery) }) as Partial<RoomRpc> as RoomRpc,
  });
  const follow = async (self: string, members: readonly MemberCount[], anew?: FullFollow) => {
    const complete = anew ? followers.complete(self, members) : members;
    for (const [user, count] of complete) counts.set(user, count);
    followers.add(self, complete, anew?.position);
    return log.position;
  };
  const publish = ({ entry, audience }: { entry: Entry; audience: Iterable<Connection> }) => {
    for (const { id } of audience) heard.push([id, entry.offset]);
  };
  const options = {
    ...{ storage, self: "self", settings: { rememberGroups: 0, signalR: {} } },
    connections: {
      all: connections,
      get: (id: string) => [...connections].find((one) => one.id === id),
      close: () => {},
    },
    outbox: { publish, flush: () => {} },
    activity: { isDue: true, note: () => {} },
    reporting: () => {},
    arm: (at: number) => void armed.push(at - Date.now()),
    room: () => ({
      follow: (...call: Parameters<typeof follow>) => net.follow(() => follow(...call)),
      unfollow: (self: string) => net.unfollow(async () => followers.remove(self)),
    }),
  };
  const awake = () =>
    new FollowedRooms(options as unknown as ConstructorParameters<typeof FollowedRooms>[0]);
  let followed = awake();
  return {
    ...{ followers, connections, counts, heard, armed, net },
    get followed() {
      return followed;
    },
    /** The follower wakes with the connections that are there. */
    wake() {
      followed = awake();
      followed.restore();
      return followed.rooms.settle();
    },
    connect(id: string): Connection {
      const user = { id: `user-${id}` } as User;
      const connection = { id, user, attached: {}, socket: {} } as Connection;
      connections.add(connection);
      return connection;
    },
    async say(count = 1): Promise<void> {
      const said = entries(all.length + 1, all.length + count);
      all.push(...said);
      followers.publish(said);
      await settle();
    },
  };
}

/** Until the test lets go, answers are on their way. */
function holdAnswers({ net }: World, name: "follow" | "unfollow"): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  net[name] = async (call) => {
    const answer = await call();
    await promise;
    return answer;
  };
  return resolve;
}

const lost = () => {
  throw new Error("Lost on its way.");
};

it("a room that let the object go while its follow was answered is followed once more", () =>
  inObject(async (storage) => {
    const one = world(storage, "all");
    const letGo = holdAnswers(one, "follow");
    const first = one.connect("first");
    void one.followed.joinAll(first);
    await settle();
    one.connections.delete(first);
    void one.followed.leaveAll(first, "left");
    await one.say();
    expect(one.followers.links.size).toBe(0);
    const joined = one.followed.joinAll(one.connect("second"));
    letGo();
    await joined;
    await one.say();
    expect(one.heard).toEqual([["second", 2]]);
  }));

it.each(["the answer", "the call"])(
  "a member that joins after %s of an unfollow was lost hears nothing of before",
  (what) =>
    inObject(async (storage) => {
      const one = world(storage, "group:g");
      const first = one.connect("first");
      await one.followed.join(first, JOIN);
      await one.say();
      one.net.unfollow = async (call) => {
        if (what === "the answer") await call();
        return lost();
      };
      await expect(one.followed.leave(first, JOIN.topic)).rejects.toThrow("Lost");
      await one.say(3);
      expect(one.followers.links.size).toBe(0);
      await one.followed.join(one.connect("second"), JOIN);
      await one.say();
      expect(one.heard).toEqual([
        ["first", 1],
        ["second", 5],
      ]);
    }),
);

it("a member that joins right behind the answer to an unfollow is heard of", () =>
  inObject(async (storage) => {
    for (let turns = 0; turns < 8; turns++) {
      const one = world(storage, "group:g");
      const [first, second] = [one.connect("first"), one.connect("second")];
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in the same storage
      await one.followed.join(first, JOIN);
      one.net.unfollow = async (call) => {
        const answer = await call();
        let later = Promise.resolve();
        for (let turn = 0; turn < turns; turn++) later = later.then(() => undefined);
        void later.then(() => one.followed.belong(second, JOIN.topic, "token"));
        return answer;
      };
      // oxlint-disable-next-line no-await-in-loop -- as above
      await one.followed.leave(first, JOIN.topic);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await one.say().then(() => one.say());
      expect(one.heard, `after ${turns} turns`).toContainEqual(["second", 2]);
      one.followers.remove("self");
      storage.sql.exec("DELETE FROM joins; DELETE FROM follows;");
    }
  }));

it("a leave whose report was lost is reported after a sleep", () =>
  inObject(async (storage) => {
    const one = world(storage, "group:g");
    const [stays, leaves] = [one.connect("stays"), one.connect("leaves")];
    await one.followed.join(stays, JOIN);
    await one.followed.join(leaves, JOIN);
    const { follow } = one.net;
    one.net.follow = lost;
    await expect(one.followed.leave(leaves, JOIN.topic)).rejects.toThrow("could not be reached");
    expect(one.armed).toEqual([5_000]);
    one.net.follow = follow;
    await one.wake();
    expect(Object.fromEntries(one.counts)).toEqual({ "user-stays": 1, "user-leaves": 0 });
  }));

it("a connection that ended leaves all its rooms where that cannot be written", () =>
  inObject(async (storage) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const one = world(storage, "group:g");
    const [stays, ends] = [one.connect("stays"), one.connect("ends")];
    await one.followed.join(stays, JOIN);
    await one.followed.join(ends, JOIN);
    storage.sql.exec(
      "CREATE TRIGGER full BEFORE DELETE ON joins BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    one.connections.delete(ends);
    await one.followed.leaveAll(ends, "lost");
    storage.sql.exec("DROP TRIGGER full");
    expect([...one.followed.membersOf("group:g")].map(({ id }) => id)).toEqual(["stays"]);
    expect(Object.fromEntries(one.counts)).toEqual({ "user-stays": 1, "user-ends": 0 });
    expect(logged).toHaveBeenCalledOnce();
  }));

it("a connection that did not survive is reported, also where the wake that found it crashed", () =>
  inObject(async (storage) => {
    const one = world(storage, "group:g");
    const [stays, ends] = [one.connect("stays"), one.connect("ends")];
    await one.followed.join(stays, JOIN);
    await one.followed.join(ends, JOIN);
    one.connections.delete(ends);
    const { follow } = one.net;
    one.net.follow = () => new Promise(() => {});
    void one.wake();
    await settle();
    one.net.follow = follow;
    await one.wake();
    expect(Object.fromEntries(one.counts)).toEqual({ "user-stays": 1, "user-ends": 0 });
    expect(storage.sql.exec("SELECT connection FROM joins").toArray()).toEqual([
      { connection: "stays" },
    ]);
  }));

it("a room that has forgotten the object delivers from where its members are", () =>
  inObject(async (storage) => {
    const one = world(storage, "group:g");
    await one.followed.join(one.connect("first"), JOIN);
    await one.say();
    one.followers.remove("self");
    await one.say(2);
    expect(one.heard).toEqual([["first", 1]]);
    await one.followed.rooms.followAgain("group:g");
    await settle();
    expect(one.heard).toEqual([1, 2, 3].map((offset) => ["first", offset]));
  }));

it("one client without a socket does not have its rooms told of all members at each wake", () =>
  inObject(async (storage) => {
    const one = world(storage, "group:g");
    const polling = one.connect("polling");
    await one.followed.join(polling, JOIN);
    await one.followed.join(one.connect("other"), JOIN);
    Object.assign(polling, { socket: undefined });
    const follows = vi.fn<() => void>();
    one.net.follow = async (call) => (follows(), call());
    await one.wake();
    expect(follows).not.toHaveBeenCalled();
  }));

it("a room that cannot be reached has no other room told again, and keeps no row of another", () =>
  inObject(async (storage) => {
    const one = world(storage, "group:g");
    const stays = one.connect("stays");
    await one.followed.join(stays, JOIN);
    const { follow } = one.net;
    one.net.follow = lost;
    const bad = { kind: "group", name: "bad" } as const;
    await expect(one.followed.belong(stays, bad, "token")).rejects.toThrow("could not be reached");
    const ends = one.connect("ends");
    one.net.follow = follow;
    await one.followed.join(ends, JOIN);
    one.connections.delete(ends);
    const follows = vi.fn<() => void>();
    one.net.follow = async (call) => (follows(), call());
    await one.wake();
    // The room that failed, and the one that has lost a member.
    expect(follows).toHaveBeenCalledTimes(2);
    expect(storage.sql.exec("SELECT connection FROM joins ORDER BY room").toArray()).toEqual([
      { connection: "stays" },
      { connection: "stays" },
    ]);
  }));

it("a report whose failure cannot be saved on a full disk is logged", () =>
  inObject(async (storage) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const kv = {
      get: () => undefined,
      put: () => {
        throw new Error("SQLITE_FULL");
      },
      delete: () => true,
    };
    const one = world({ sql: storage.sql, kv } as unknown as DurableObjectStorage, "group:g");
    one.net.follow = lost;
    await expect(one.followed.join(one.connect("x"), JOIN)).rejects.toThrow("could not be reached");
    await settle();
    expect(logged).toHaveBeenCalledWith(expect.stringContaining("report_unsaved"));
  }));
