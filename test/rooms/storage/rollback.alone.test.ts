// A deploy that changes storage, is rolled back and rolled forward again: what real objects do, and that nothing is
// lost.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSE } from "../../../src/model/errors.ts";
import { ACCOUNT_MIGRATIONS } from "../../../src/rooms/account/account-migrations.ts";
import { VERSION_KEY, type Migration } from "../../../src/rooms/platform/storage-version.ts";
import { accountName, accountStub } from "../../../src/rooms/rpc/object-names.ts";
import { ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";
import { RELAY_MIGRATIONS } from "../../../src/rooms/relay/relay-migrations.ts";
import { enter, roomAt, token, upgrade } from "../client.ts";
import { connected, open, relayOf } from "../relay/client.ts";

const LISTS = [ROOM_MIGRATIONS, RELAY_MIGRATIONS, ACCOUNT_MIGRATIONS] as Migration[][];
const released = LISTS.map((list) => list.length);

/** Objects that start from now on have one migration more. */
function deploy(up: Migration["up"] = () => {}): void {
  for (const list of LISTS) list.push({ version: list.length + 2, up });
}
/** Objects that start from now on know the released migrations. */
function rollBack(): void {
  for (const [index, list] of LISTS.entries()) list.length = released[index]!;
}
beforeEach(() => {
  for (const level of ["info", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  rollBack();
  vi.restoreAllMocks();
});

const say = (room: string, word: string) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });
const enterOnce = async (room: string) =>
  upgrade(`/parties/${room}?access_token=${await token("alice")}`);
const codeOf = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "accepted",
    (error: { code?: string }) => error.code,
  );

describe("a room", () => {
  it("migrates when it wakes, with its sockets, refuses after a rollback, and has lost nothing", async () => {
    const room = "orders/order:rolled";
    using alice = await enter(room);
    await say(room, "before");
    await evictDurableObject(roomAt(room));
    deploy(({ sql }) => void sql.exec("CREATE TABLE later (word TEXT)"));
    const { epoch, offset } = await say(room, "migrated");
    await alice.heardFrame(({ params }) => params?.[0] === "migrated");
    await evictDurableObject(roomAt(room));
    rollBack();
    const refused = await enterOnce(room);
    expect([refused.status, refused.headers.get("x-dormouse-error")]).toEqual([
      503,
      "storage_too_new",
    ]);
    expect(await codeOf(say(room, "refused"))).toBe("storage_too_new");
    deploy();
    expect(await say(room, "forward")).toEqual({ epoch, offset: offset + 1 });
    const { entries } = await roomAt(room).history({});
    expect(entries.map(({ params }) => JSON.parse(params)[0])).toEqual([
      ...["before", "migrated", "forward"],
    ]);
  });

  it("refuses while its migration fails, and has lost nothing", async () => {
    const room = "orders/order:failed";
    const { offset } = await say(room, "before it failed");
    await evictDurableObject(roomAt(room));
    deploy(({ sql }) => {
      sql.exec("DELETE FROM log");
      throw new TypeError("A mistake in a migration.");
    });
    expect((await enterOnce(room)).status).toBe(500);
    rollBack();
    expect((await say(room, "after it failed")).offset).toBe(offset + 1);
  });
});

const alarmOf = (stub: DurableObjectStub) =>
  runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
const later = expect.toSatisfy((at: number) => at > Date.now() + 5 * 60_000);

describe("an alarm", () => {
  it("of a room goes on after a rollback, and does what is due after the roll-forward", async () => {
    const room = roomAt("orders/order:alarmed");
    const exp = Math.floor(Date.now() / 1000) + 60;
    using alice = await enter("orders/order:alarmed", { claims: { exp } });
    await evictDurableObject(room);
    deploy();
    await say("orders/order:alarmed", "migrated");
    await evictDurableObject(room);
    rollBack();
    expect(await runDurableObjectAlarm(room)).toBe(true);
    expect(await alarmOf(room)).toEqual(later);
    deploy();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
    await runDurableObjectAlarm(room);
    expect((await alice.closed).code).toBe(CLOSE.expired);
    vi.useRealTimers();
  });

  it("goes on where a migration fails", async () => {
    const room = roomAt("orders/order:alarmed-too");
    await say("orders/order:alarmed-too", "before");
    await evictDurableObject(room);
    deploy(() => {
      throw new TypeError("A mistake in a migration.");
    });
    expect(await runDurableObjectAlarm(room)).toBe(true);
    expect(await alarmOf(room)).toEqual(later);
  });
});

describe("a relay", () => {
  it("refuses its clients after a rollback, and its alarm goes on", async () => {
    using alice = await connected("chat");
    const relay = relayOf("chat", alice.id);
    await evictDurableObject(relay);
    deploy();
    await runInDurableObject(relay, (_, { storage }) =>
      expect(storage.kv.get(VERSION_KEY)).toBe(RELAY_MIGRATIONS.length + 1),
    );
    await evictDurableObject(relay);
    rollBack();
    expect((await open("chat", alice.token)).status).toBe(503);
    expect(await runDurableObjectAlarm(relay)).toBe(true);
    expect(await alarmOf(relay)).toEqual(later);
  });
});

describe("an account", () => {
  const ofEve = accountStub(env, { tenant: "default", user: "eve" });
  const eve = () => env.ACCOUNTS.getByName(accountName({ tenant: "default", user: "eve" }));
  const keys = () => runInDurableObject(eve(), (_, { storage }) => [...storage.kv.list()].length);

  it("stores nothing while nothing is said of its users, whatever its version", async () => {
    deploy();
    expect(await ofEve.check({ id: "eve" })).toBeUndefined();
    expect(await ofEve.isInGroup("chat", "staff")).toBe(false);
    expect(await keys()).toBe(0);
    await ofEve.ban(60);
    expect(await keys()).toBeGreaterThan(1);
    await evictDurableObject(eve());
    expect(await ofEve.check({ id: "eve" })).toMatchObject({ code: "banned" });
    await evictDurableObject(eve());
    rollBack();
    expect(await codeOf(ofEve.check({ id: "eve" }))).toBe("storage_too_new");
    expect(await runDurableObjectAlarm(eve())).toBe(true);
    expect(await runDurableObjectAlarm(eve())).toBe(true);
  });

  it("refuses while its migration fails, and tries it once for each call", async () => {
    const who = { tenant: "default", user: "frank" };
    const ofFrank = accountStub(env, who);
    await ofFrank.ban(60);
    await evictDurableObject(env.ACCOUNTS.getByName(accountName(who)));
    let attempts = 0;
    deploy(() => {
      // At the start, and in the first call.
      if ((attempts += 1) <= 2) throw new TypeError("A mistake in a migration.");
    });
    expect(await codeOf(ofFrank.check({ id: "frank" }))).toBe("internal");
    expect(await ofFrank.check({ id: "frank" })).toMatchObject({ code: "banned" });
    expect(attempts).toBe(3);
  });
});
