// An object whose storage is damaged: it answers with a stable code, and the log names it. Erasing a room heals it, a
// relay begins anew by itself, and an account is repaired by a service.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import { ask, refusal } from "../../edge/rest/service.ts";
import { enter, roomAt, token, upgrade } from "../client.ts";
import { connected, relayOf } from "../relay/client.ts";

let errors: Mock<typeof console.error>;
beforeEach(() => {
  errors = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const lines = () => errors.mock.calls.map(([line]) => JSON.parse(String(line)));
const restAt = (room: string) => `/hubs/relayed/rooms/${encodeURIComponent(room)}`;
const said = { target: "said", params: '["text"]' };

const damage = (room: string, statements: readonly string[]) =>
  runInDurableObject(roomAt(`relayed/${room}`), (_, { storage }) => {
    for (const statement of statements) storage.sql.exec(statement);
  });

describe.each([
  [
    "tables with other columns",
    ["DROP TABLE log", "CREATE TABLE log (x)", "CREATE TABLE present (y)"],
  ],
  [
    "values that are no JSON",
    ["CREATE TABLE present (user, since, state)", "INSERT INTO present VALUES ('x', 1, '{')"],
  ],
])("a room that wakes with %s", (what, statements) => {
  const room = `group:${what.replaceAll(" ", "-")}`;
  const name = `default/relayed/group/${what.replaceAll(" ", "-")}`;

  it("answers `storage_corrupt`, is named in the log, and is healed by its erasure", async () => {
    const before = await roomAt(`relayed/${room}`).publish(said);
    await damage(room, statements);
    await evictDurableObject(roomAt(`relayed/${room}`));
    expect(await refusal(await ask("GET", `${restAt(room)}/history`))).toEqual([
      500,
      "storage_corrupt",
    ]);
    const path = `/hubs/relayed/groups/${room.slice(6)}?access_token=${await token("alice")}`;
    expect(await refusal(await upgrade(path))).toEqual([500, "storage_corrupt"]);
    expect(lines()).toContainEqual(
      expect.objectContaining({ level: "error", event: "storage_corrupt", object: name }),
    );
    const erased = await ask("DELETE", restAt(room));
    expect([erased.ok, await erased.text()]).toEqual([true, expect.any(String)]);
    const after = await roomAt(`relayed/${room}`).publish(said);
    expect([after.offset, after.epoch === before.epoch]).toEqual([1, false]);
    using alice = await enter(`relayed/${room}`);
    expect(alice.hello.params.position).toMatch(`${after.epoch}:`);
  });
});

describe("a room that is damaged while it is awake", () => {
  it("is healed by its erasure, and its clients come back", async () => {
    const room = "group:damaged-awake";
    using alice = await enter(`relayed/${room}`);
    await roomAt(`relayed/${room}`).publish(said);
    await damage(room, ["DROP TABLE log"]);
    expect(await refusal(await ask("GET", `${restAt(room)}/history`))).toEqual([
      500,
      "storage_corrupt",
    ]);
    expect((await ask("DELETE", restAt(room))).ok).toBe(true);
    expect((await alice.closed).code).toBe(4411);
    expect((await roomAt(`relayed/${room}`).publish(said)).offset).toBeGreaterThan(0);
    expect((await ask("GET", `${restAt(room)}/history`)).status).toBe(200);
  });

  it("refuses history whose text is garbled", async () => {
    const room = "group:garbled-text";
    await roomAt(`relayed/${room}`).publish(said);
    await damage(room, ["UPDATE log SET entries = '['"]);
    expect(await refusal(await ask("GET", `${restAt(room)}/history`))).toEqual([
      500,
      "storage_corrupt",
    ]);
    expect((await ask("DELETE", restAt(room))).ok).toBe(true);
    expect((await roomAt(`relayed/${room}`).publish(said)).offset).toBe(1);
  });

  it("begins a new epoch where its log was dropped while it slept", async () => {
    const room = "group:dropped-log";
    const before = await roomAt(`relayed/${room}`).publish(said);
    await damage(room, ["DROP TABLE log"]);
    await evictDurableObject(roomAt(`relayed/${room}`));
    const after = await roomAt(`relayed/${room}`).publish(said);
    expect([after.offset, after.epoch === before.epoch]).toEqual([1, false]);
    expect(lines()).toContainEqual(expect.objectContaining({ event: "storage_corrupt" }));
  });
});

describe("a relay", () => {
  const damageRelay = (connection: string, statements: readonly string[]) =>
    runInDurableObject(relayOf("relayed", connection), (_, { storage }) => {
      for (const statement of statements) storage.sql.exec(statement);
    });

  it("that wakes with a damaged storage begins anew by itself, and the log names it", async () => {
    using alice = await connected("relayed", { query: "client=damaged" });
    await damageRelay(alice.id, ["CREATE TABLE joins (x)"]);
    await evictDurableObject(relayOf("relayed", alice.id));
    using again = await connected("relayed", { query: "client=damaged" });
    expect((await again.call("Whoami")).result.userId).toBe("alice");
    expect(lines()).toContainEqual(
      expect.objectContaining({
        event: "storage_corrupt",
        object: expect.stringMatching(/^default\/relayed\/relay\//),
      }),
    );
  });

  it("that is damaged while it is awake ends, and its clients come back to an empty one", async () => {
    using alice = await connected("relayed", { user: "bob", query: "client=damaged-awake" });
    expect((await alice.call("Join", "sound")).error).toBeUndefined();
    await damageRelay(alice.id, ["DROP TABLE joins"]);
    alice.say({ type: 1, invocationId: "1", target: "Join", arguments: ["damaged"] });
    await alice.closed;
    await vi.waitFor(async () => {
      using again = await connected("relayed", { user: "bob", query: "client=damaged-awake" });
      expect((await again.call("Join", "damaged")).error).toBeUndefined();
    });
  });
});

describe("an account", () => {
  const TORN = new Error("database disk image is malformed: SQLITE_CORRUPT");

  it("refuses its users, and is repaired by a service, which names what is lost", async () => {
    const name = accountName({ tenant: "default", user: "torn" });
    const account = env.ACCOUNTS.getByName(name);
    expect(
      (await ask("POST", "/hubs/relayed/users/torn/:ban", { body: { seconds: 600 } })).ok,
    ).toBe(true);
    expect(await repaired()).toBe(false);
    // What it has read of a user it remembers while it is awake.
    await evictDurableObject(account);
    await runInDurableObject(account, (_, { storage }) => {
      vi.spyOn(storage.kv, "get").mockImplementation(() => {
        throw TORN;
      });
      vi.spyOn(storage.kv, "list").mockImplementation(() => {
        throw TORN;
      });
    });
    const path = `/hubs/relayed/groups/any?access_token=${await token("torn")}`;
    expect(await refusal(await upgrade(path))).toEqual([500, "storage_corrupt"]);
    expect(lines()).toContainEqual(
      expect.objectContaining({ event: "storage_corrupt", object: name }),
    );
    expect(await repaired()).toBe(true);
    vi.restoreAllMocks();
    using torn = await enter("relayed/group:any", { user: "torn" });
    expect(torn.hello.params.userId).toBe("torn");
  });

  async function repaired(): Promise<unknown> {
    const answer = await ask("POST", "/hubs/relayed/users/torn/:repair");
    return ((await answer.json()) as { repaired: unknown }).repaired;
  }
});
