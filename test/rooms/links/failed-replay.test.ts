// What a crash or a failed call leaves of a batch or a replay: nothing comes twice to a client, and nothing is missing.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { CLOSE, HubError } from "../../../src/model/errors.ts";
import type { User } from "../../../src/model/user.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import { FollowedRooms } from "../../../src/rooms/links/followed-rooms.ts";
import { entries, range } from "../storage.ts";

const ROOM = "group:g";
const topic = { kind: "group", name: "g" } as const;
const at = (offset: number) => ({ epoch: "e", offset });
const batch = (first: number, last: number) => ({
  ...{ room: ROOM, epoch: "e", after: first - 1, entries: entries(first, last), reset: false },
});
const JOIN = { topic, since: at(2), most: 10, cause: "hub" } as const;

/** Followed rooms with one connection here, and a room whose log ends at 5 and that fails while it is to fail. */
function following(sql: SqlStorage) {
  const connection = { id: "c", user: { id: "u" } as User, attached: {} } as Connection;
  const room = { fails: false, meanwhile: () => {} };
  const live: number[] = [];
  const savedAtFlush: unknown[] = [];
  const connections = {
    ...{ all: new Set([connection]), get: () => connection },
    close: vi.fn<(one: Connection, code: number) => void>(),
  };
  const missed = async ({ offset }: { offset: number }) => {
    room.meanwhile();
    if (room.fails) throw new HubError("unavailable", "The room could not be reached; try again.");
    return { entries: entries(offset + 1, 5), position: at(5), recovered: true };
  };
  const followed = new FollowedRooms({
    ...{
      storage: { sql, kv: new Map() },
      self: "self",
      settings: { rememberGroups: 60, signalR: {} },
      connections,
    },
    outbox: {
      publish: ({ entry, skip }: { entry: { offset: number }; skip?: ReadonlySet<Connection> }) =>
        void (skip?.has(connection) || live.push(entry.offset)),
      flush: () => void savedAtFlush.push(followed.positionIn(ROOM), saved(sql)),
    },
    activity: { isDue: true, note: () => {} },
    reporting: () => {},
    arm: () => {},
    room: () => ({ missed, follow: async () => at(2), unfollow: async () => {} }),
  } as unknown as ConstructorParameters<typeof FollowedRooms>[0]);
  return { connection, connections, followed, live, room, savedAtFlush };
}

const saved = (sql: SqlStorage) =>
  sql.exec("SELECT offset FROM stands WHERE room = ?", ROOM).toArray()[0]?.["offset"];

const inObject = (run: (sql: SqlStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.ROOMS.getByName(`default/chat/group/${crypto.randomUUID()}`), (_, state) =>
    run(state.storage.sql),
  );

it("the position of a batch is saved before its frames are written", () =>
  inObject(async (sql) => {
    const { connection, followed, savedAtFlush } = following(sql);
    await followed.join(connection, JOIN);
    savedAtFlush.length = 0;
    followed.deliver(batch(3, 4));
    expect(savedAtFlush).toEqual([at(2), 4]);
    expect(followed.positionIn(ROOM)).toEqual(at(4));
  }));

it("a connection whose replay failed is no member, and the next attempt brings each entry once", () =>
  inObject(async (sql) => {
    const { connection, followed, live, room } = following(sql);
    room.fails = true;
    const replayed: number[] = [];
    const join = () =>
      followed.joinWithReplay(connection, JOIN, (view) =>
        replayed.push(...view.entries.map(({ offset }) => offset)),
      );
    await expect(join()).rejects.toMatchObject({ code: "unavailable" });
    expect([...followed.causesOf(connection)]).toEqual([]);
    expect(followed.deliver(batch(3, 4))).toEqual({ kind: "gone" });
    room.fails = false;
    await join();
    followed.deliver(batch(3, 6));
    expect([...replayed, ...live]).toEqual(range(3, 6));
  }));

it.each([
  ["is closed where entries came meanwhile", [["c", CLOSE.interrupted]], batch(3, 4)],
  ["stays one where none came", [], undefined],
])("a member whose further replay failed %s", (_, closed, meanwhile) =>
  inObject(async (sql) => {
    const { connection, connections, followed, room } = following(sql);
    await followed.join(connection, JOIN);
    room.fails = true;
    if (meanwhile) room.meanwhile = () => void followed.deliver(meanwhile);
    const joining = followed.joinWithReplay(connection, JOIN, () => {});
    await expect(joining).rejects.toMatchObject({ code: "unavailable" });
    expect(connections.close.mock.calls.map(([{ id }, code]) => [id, code])).toEqual(closed);
    expect([...followed.causesOf(connection).keys()]).toEqual([ROOM]);
  }),
);

it("an object that follows a room .. since an older version wakes", () =>
  inObject(async (sql) => {
    const { followed } = following(sql);
    sql.exec("INSERT INTO follows VALUES ('group:..')");
    expect(followed.restore()).toEqual([]);
  }));

it("a batch whose position cannot be saved comes once all the same", () =>
  inObject(async (sql) => {
    const { connection, followed, live } = following(sql);
    await followed.join(connection, JOIN);
    for (const event of ["INSERT", "UPDATE"])
      sql.exec(
        `CREATE TRIGGER on_${event} BEFORE ${event} ON stands BEGIN SELECT RAISE(ABORT, 'full'); END`,
      );
    expect(() => followed.deliver(batch(3, 4))).toThrow("full");
    for (const event of ["INSERT", "UPDATE"]) sql.exec(`DROP TRIGGER on_${event}`);
    expect(followed.deliver(batch(3, 4))).toEqual({ kind: "taken" });
    expect(live).toEqual([3, 4]);
  }));
