// Objects that were used, and have nothing to keep any more, have deleted their storage: counted, with a clock that is
// the test's and alarms that it rings.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { ringBefore } from "../alarms.ts";
import { enter, roomAt } from "../client.ts";
import { connected, relayOf } from "../relay/client.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** Longer than any log of these hubs keeps a message. */
const AGE = 30 * DAY;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Stub = Parameters<typeof runDurableObjectAlarm>[0];

/** Rings the alarms of objects as they come, until none has one: `step` milliseconds lie between two rounds. */
async function pass(stubs: readonly unknown[], step: number): Promise<void> {
  for (let round = 0; round < 20; round++) {
    vi.setSystemTime(Date.now() + step);
    const rung = await Promise.all(stubs.map((stub) => runDurableObjectAlarm(stub as Stub)));
    if (rung.every((one) => !one)) return;
  }
}

const counted = (stubs: readonly unknown[]) => Promise.all(stubs.map(storedIn));
const listed = async (): Promise<number> => {
  const { rooms } = await roomAt("relayed/all").rooms({ prefix: "group:aged" });
  return rooms.length;
};

it("rooms are empty again once their age has passed, and gone from the index", async () => {
  const names = Array.from({ length: 30 }, (_, at) => `group:aged${at}`);
  const rooms = names.map((name) => roomAt(`relayed/${name}`));
  for (const [at, room] of rooms.entries()) {
    await room.publish({ target: "said", params: '["text"]', id: `once ${at}` });
    if (at % 3 > 0) continue;
    const alice = await enter(`relayed/${names[at]!}`, { user: `aged${at}` });
    alice.socket.close(1000);
    await alice.closed;
  }
  expect((await counted(rooms)).every(({ tables, alarm }) => tables > 0 && alarm)).toBe(true);
  await pass(rooms, 3_000);
  await vi.waitFor(async () => expect(await listed()).toBe(30));
  await pass(rooms, AGE);
  expect(await counted(rooms)).toEqual(rooms.map(() => NOTHING));
  expect(await listed()).toBe(0);
});

it("a room that has ended begins a new epoch, in memory and after a sleep", async () => {
  const room = roomAt("relayed/group:again");
  const first = await room.publish({ target: "said", params: '["before"]' });
  await pass([room], AGE);
  expect(await storedIn(room)).toEqual(NOTHING);
  expect(await room.missed(first)).toMatchObject({ entries: [], recovered: false });
  const second = await room.publish({ target: "said", params: '["after"]' });
  expect([second.offset, second.epoch === first.epoch]).toEqual([1, false]);
  await evictDurableObject(room);
  expect(await room.missed({ ...second, offset: 0 })).toMatchObject({
    position: second,
    recovered: true,
  });
  expect(await room.missed(first)).toMatchObject({ recovered: false });
});

it("a room is kept by what begins while it reports its end", async () => {
  const room = roomAt("relayed/group:late");
  await room.publish({ target: "said", params: '["before"]' });
  await pass([room], 3_000);
  await room.clear();
  vi.setSystemTime(Date.now() + AGE);
  const [, position] = await Promise.all([
    runDurableObjectAlarm(room),
    room.publish({ target: "said", params: '["late"]' }),
  ]);
  expect((await room.history({})).entries.map(({ params }) => params)).toEqual(['["late"]']);
  await evictDurableObject(room);
  const kept = await room.history({});
  expect([kept.position, kept.entries.length]).toEqual([position, 1]);
});

it("a room is not ended by age while somebody is in it", async () => {
  const exp = Math.floor((Date.now() + 40 * AGE) / 1000);
  using alice = await enter("relayed/group:held", { claims: { exp } });
  const room = roomAt("relayed/group:held");
  for (let round = 0; round < 3; round++) {
    vi.setSystemTime(Date.now() + 20_000);
    alice.socket.send('{"jsonrpc":"2.0","method":"$/ping"}');
    await runDurableObjectAlarm(room);
  }
  expect((await storedIn(room)).tables).toBeGreaterThan(0);
  await room.publish({ target: "said", params: '["still"]' });
  expect((await alice.said("said")).params).toEqual(["still"]);
});

it("a relay ends without connections, seats and groups to rejoin, and makes a new key later", async () => {
  for (const [hub, query] of [
    ["relayed", ""],
    ["remembering", "client=phone"],
  ] as const) {
    const alice = await connected(hub, { user: "ends", query });
    const relay = relayOf(hub, alice.id);
    alice.socket.close(1000);
    await alice.closed;
    const all = roomAt(`${hub}/all`);
    await pass([relay, all], 3_000);
    await pass([relay, all], 2 * DAY);
    expect(await storedIn(relay)).toEqual(NOTHING);
    expect(await storedIn(all)).toEqual(NOTHING);
    const exp = Math.floor(Date.now() / 1000) + 600;
    using again = await connected(hub, { user: "ends", query, claims: { exp } });
    expect((await storedIn(relayOf(hub, again.id))).keys).toBeGreaterThan(0);
  }
});

it("a relay that was full ends once clients of the next level are not looked for there any more", async () => {
  const clients = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) => connected("five", { user: `full${n}` })),
  );
  const relays = new Map(clients.map(({ id }) => [id.split("@")[1], relayOf("five", id)]));
  expect(relays.size).toBe(2);
  for (const { closed, socket } of clients) {
    socket.close(1000);
    await closed;
  }
  const tomorrow = Date.now() + DAY;
  for (const relay of relays.values()) await ringBefore(relay, tomorrow);
  expect(await counted([...relays.values()])).toEqual([NOTHING, NOTHING]);
});

it.each(["odd", "odd-unlogged"])(
  "a room of %s, whose state kept it, ends once it is erased",
  async (hub) => {
    const name = `${hub}/group:kept`;
    const alice = await enter(name);
    await alice.call("$/run", { action: "add", params: [1] });
    alice.socket.close(1000);
    await alice.closed;
    const room = roomAt(name);
    await room.history({}); // Publishes that alice has left, and writes it.
    await ringBefore(room, Date.now() + AGE);
    expect(await storedIn(room)).toMatchObject({ alarm: false, keys: expect.any(Number) });
    await room.erase();
    await ringBefore(room, Date.now() + AGE);
    expect(await storedIn(room)).toEqual(NOTHING);
  },
);

it("an account ends with its last object, ban, revocation and group", async () => {
  const user = "short";
  const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user })) as unknown as {
    ban(user: string, seconds: number): Promise<void>;
    revoke(user: string, revocation: object): Promise<void>;
    addToGroup(user: string, hub: string, group: string, seconds: number): Promise<void>;
  };
  const alice = await enter("relayed/group:account", { user });
  alice.socket.close(1000);
  await alice.closed;
  await account.addToGroup(user, "relayed", "club", 60);
  await account.revoke(user, { jti: "one", until: Date.now() + MINUTE });
  await account.ban(user, 60);
  expect((await storedIn(account)).keys).toBeGreaterThan(4);
  await pass([account], 2 * DAY);
  expect(await storedIn(account)).toEqual(NOTHING);
});

it("a room whose log is written behind, and one without a log, end as others do, and begin again", async () => {
  for (const name of ["behind/group:ended", "unlogged/group:ended2"]) {
    const room = roomAt(name);
    await room.publish({ target: "said", params: '["before"]' });
    await room.history({}); // Writes the entries that wait.
    await pass([room], 3_000);
    expect((await storedIn(room)).keys).toBeGreaterThan(0);
    await pass([room], AGE);
    expect(await storedIn(room)).toEqual(NOTHING);
    expect((await room.publish({ target: "said", params: '["after"]' })).offset).toBe(1);
    expect((await storedIn(room)).alarm).toBe(true);
  }
});
