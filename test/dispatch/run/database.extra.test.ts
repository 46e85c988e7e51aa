// The hubs of docs/database.md that the engine has a database for: D1, and a Durable Object of an application's own.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { enter } from "../../rooms/client.ts";
import { publishOutbox } from "../../support/database/outbox.ts";

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

beforeEach(async () => {
  await env.DB.batch(
    [
      "CREATE TABLE IF NOT EXISTS notes (id TEXT PRIMARY KEY, board TEXT, author TEXT, text TEXT)",
      "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, board TEXT, note TEXT)",
    ].map((statement) => env.DB.prepare(statement)),
  );
});

it("a note is in D1 when its publication comes, and a repeated call changes neither", async () => {
  using alice = await enter("board/group:plans", { user: "alice" });
  using bob = await enter("board/group:plans", { user: "bob" });
  const note = { id: ID, text: "lunch" };
  const added = bob.said("added");
  for (const text of ["lunch", "dinner"])
    await alice.call("add", ["plans", { id: ID, text }], { idempotencyKey: "k" });
  const stored = { ...note, author: "alice" };
  expect((await added).params).toEqual([stored]);
  expect((await bob.call("notes", ["plans"])).result).toEqual([stored]);
  expect(bob.messages("added")).toHaveLength(1);
});

it("an object of the application's own decides, once for each order, and the room is told", async () => {
  using alice = await enter("shop/group:tea", { user: "alice" });
  const take = (order: string, count: number) => alice.call("take", ["tea", order, count]);
  expect((await take(ID, 7)).result).toBe(3);
  expect((await take(ID, 7)).result).toBe(3);
  expect((await take(OTHER, 4)).error).toMatchObject({ data: { code: "sold_out" } });
  expect((await take(OTHER, 3)).result).toBe(0);
  expect(alice.messages("left").map(({ params }) => params)).toEqual([
    ["tea", 3],
    ["tea", 3],
    ["tea", 0],
  ]);
});

it("an outbox is published once, however often it is tried", async () => {
  using alice = await enter("board/group:news", { user: "alice" });
  const note = { id: ID, author: "carol", text: "hello" };
  const write = () =>
    env.DB.prepare("INSERT INTO outbox VALUES (1, ?, ?)").bind("news", JSON.stringify(note)).run();
  await write();
  await publishOutbox(env);
  // As after a crash before the row was deleted.
  await write();
  await publishOutbox(env);
  expect((await alice.said("added")).params).toEqual([note]);
  expect((await alice.call("notes", ["news"])).result).toEqual([]);
  expect(alice.messages("added")).toHaveLength(1);
  expect((await env.DB.prepare("SELECT * FROM outbox").all()).results).toEqual([]);
});
