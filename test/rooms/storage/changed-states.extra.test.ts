// Copies that clients had before a deploy, where it gives rooms another state than they had: by its schema, by another
// `initial`, or by another view with a step in `migrations`.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import { formatPosition } from "../../../src/model/topic.ts";
import type { RoomParts } from "../../../src/rooms/room/room-parts.ts";
import type { StateSpec } from "../../../src/rooms/rpc/state-rpc.ts";
import { enter, roomAt, type Client } from "../client.ts";
import { act, newRoom, ran, steeredByClock, wholeOf } from "../state/steered-room.ts";
import { receiverOf } from "./deploys.ts";

steeredByClock();

const labelled = (state: unknown) =>
  "label" in (state as object) ? state : { ...(state as object), label: "new" };

/** What a deploy may change of the state. */
const CHANGES = {
  "schema adds something": ({ check }) => ({ check: (state) => labelled(check(state)) }),
  "`initial` is another": ({ initial }) => ({ initial: () => labelled(initial()) }),
  "view is another": ({ version }) => ({
    ...{ version: version + 1, migrate: (state) => state, view: labelled },
  }),
  "`tables` are left out": () => ({ tables: [] }),
} satisfies Record<string, (spec: StateSpec) => Partial<StateSpec>>;

async function deploy(name: string, change: keyof typeof CHANGES): Promise<void> {
  const receiver = await receiverOf(name);
  const before = { ...receiver };
  onTestFinished(() => void Object.assign(receiver, before));
  receiver.state = (...about) => {
    const spec = before.state!(...about);
    return spec && Object.assign(Object.create(spec) as StateSpec, CHANGES[change](spec));
  };
  await evictDurableObject(roomAt(name));
}

/** As the client has it by now. */
function copyOf({ hello, heard }: Client, before: unknown = hello.params.state): unknown {
  let copy = before;
  for (const { method, params } of heard)
    if (method === "$/state")
      copy = "state" in params ? params.state : applyPatch(copy, params.patch);
  return copy;
}

it.each([
  ["schema adds something", 2],
  ["view is another", 2],
  ["`initial` is another", 0],
] as const)("a copy follows a deploy whose %s", async (change, acts) => {
  const name = newRoom();
  using alice = await enter(name);
  for (let n = 0; n < acts; n++) await act(name, "add", 1);
  await expect.poll(() => copyOf(alice)).toEqual({ count: acts });
  await deploy(name, change);
  await act(name, "add", 1);
  await expect.poll(() => copyOf(alice)).toEqual({ count: acts + 1, label: "new" });
});

it.each(["schema adds something", "view is another"] as const)(
  "a copy follows a deploy whose %s where a message comes first, and no offset is given twice",
  async (change) => {
    const name = newRoom();
    using alice = await enter(name);
    await act(name, "add", 1);
    await deploy(name, change);
    for (const word of ["first", "second"])
      await roomAt(name).publish({ target: "said", params: `["${word}"]` });
    await act(name, "add", 1);
    await expect.poll(() => copyOf(alice)).toEqual({ count: 2, label: "new" });
    const offsets = await runInDurableObject(roomAt(name), (one) =>
      (one as unknown as { parts: RoomParts }).parts.log.kept(0).map(({ offset }) => offset),
    );
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6]);
  },
);

it("a client that resumes gets what the schema of a deploy has added, once", async () => {
  const name = newRoom();
  await act(name, "add", 1);
  const { position } = await roomAt(name).info();
  const copies = async () => {
    using client = await enter(name, { since: formatPosition(position) });
    await client.call("$/presence", {});
    return copyOf(client, client.hello.params.state ?? { count: 1 });
  };
  await deploy(name, "schema adds something");
  expect(await copies()).toEqual({ count: 1, label: "new" });
  const { offset } = (await roomAt(name).info()).position;
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toEqual({ count: 1, label: "new" });
  const later = (await roomAt(name).history({ limit: 1 })).position;
  expect(later.offset).toBe(offset);
});

it("a run that changes nothing stores and sends no state, and the next change sends all of it", async () => {
  const name = newRoom();
  using alice = await enter(name);
  await roomAt(name).publish({ target: "said", params: "[]" });
  await deploy(name, "`initial` is another");
  await ran(name, { action: "add", args: [0], key: "once" });
  await alice.call("$/presence", {});
  expect(copyOf(alice)).toEqual({ count: 0 });
  await act(name, "add", 1);
  await expect.poll(() => copyOf(alice)).toEqual({ count: 1, label: "new" });
});

it("an erasure takes the hub's tables of an earlier deploy as well", async () => {
  const name = newRoom();
  await act(name, "mark");
  await deploy(name, "`tables` are left out");
  await roomAt(name).erase();
  const marks = "SELECT name FROM sqlite_master WHERE name = 'marks'";
  const left = await runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec(marks).toArray(),
  );
  expect(left).toEqual([]);
});
