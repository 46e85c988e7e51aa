// Messages of actions to other rooms: their order over failures, and an erasure of their room.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { OutgoingMessages } from "../../../src/rooms/state/outgoing-messages.ts";
import type { Draft } from "../../../src/rooms/rpc/log-entry.ts";
import { objectStorageOf, withStorage } from "../storage.ts";

beforeEach(() => {
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

/** Messages over a storage, and the work that is under way. */
function opened(storage: DurableObjectStorage, publish: (draft: Draft) => Promise<unknown>) {
  const work: Promise<unknown>[] = [];
  const outgoing = new OutgoingMessages({
    sql: objectStorageOf(storage).sql,
    most: { messages: 10, bytes: 10_000 },
    publish: (_, draft) => publish(draft),
    waitUntil: (one) => void work.push(one),
    arm() {},
  });
  return {
    outgoing,
    work,
    async settle() {
      while (work.length > 0) await work.shift(); // oxlint-disable-line no-await-in-loop
    },
    commit({ epoch = "e", offset, to = "x" }: { epoch?: string; offset: number; to?: string }) {
      const topic = { kind: "group", name: to };
      const message = { topic, draft: { target: "said", params: `[${offset}]` } };
      outgoing.add([message as never], { messages: 1, bytes: 10 });
      outgoing.seal({ epoch, offset });
      outgoing.write();
      outgoing.written();
      outgoing.flushed(offset, true, 0);
    },
  };
}

it("messages to a room wait for those before them that have failed, and to other rooms do not", () =>
  withStorage(async (storage) => {
    const arrived: string[] = [];
    let fails = true;
    const room = opened(storage, async ({ params }) => {
      if (fails && params === "[1]") throw new Error("The room's object was reset.");
      arrived.push(params);
    });
    room.commit({ offset: 1 });
    await room.settle();
    fails = false;
    room.commit({ offset: 2 });
    room.commit({ offset: 3, to: "y" });
    await room.settle();
    expect(arrived).toEqual(["[3]"]);
    room.outgoing.run(5_000);
    await room.settle();
    expect([arrived, room.outgoing.isEmpty]).toEqual([["[3]", "[1]", "[2]"], true]);
  }));

it("messages that are on their way when others follow arrive first", () =>
  withStorage(async (storage) => {
    const started: string[] = [];
    const first = Promise.withResolvers<void>();
    const room = opened(storage, ({ params }) => {
      started.push(params);
      return params === "[1]" ? first.promise : Promise.resolve();
    });
    for (const offset of [1, 2, 3]) room.commit({ offset });
    expect(started).toEqual(["[1]"]);
    first.resolve();
    await room.settle();
    expect([started, room.outgoing.isEmpty]).toEqual([["[1]", "[2]", "[3]"], true]);
  }));

it("messages that a crash has left are sent before those after it", () =>
  withStorage(async (storage) => {
    const lost = opened(storage, () => Promise.reject(new Error("The room's object was reset.")));
    lost.commit({ offset: 1 });
    await lost.settle();
    const arrived: string[] = [];
    const room = opened(storage, async ({ params }) => arrived.push(params));
    room.commit({ offset: 2 });
    await room.settle();
    expect([arrived, room.outgoing.isEmpty]).toEqual([["[1]", "[2]"], true]);
  }));

it("a message that is refused for good is dropped, and holds up no other", () =>
  withStorage(async (storage) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const arrived: string[] = [];
    const room = opened(storage, ({ params }) => {
      if (params === "[1]") throw new HubError("too_large", "A deploy has lowered the limit.");
      arrived.push(params);
      return Promise.resolve();
    });
    for (const offset of [1, 2]) room.commit({ offset });
    await room.settle();
    expect([arrived, room.outgoing.isEmpty]).toEqual([["[2]"], true]);
    expect(logged.mock.calls.join()).toContain("outgoing_refused");
  }));

it("messages of the new epoch are not taken for those under the same offset of the old one", () =>
  withStorage(async (storage) => {
    const sent = new Map<string, PromiseWithResolvers<void>>();
    const { outgoing, work, commit } = opened(storage, ({ id }) => {
      const delivery = Promise.withResolvers<void>();
      sent.set(id!, delivery);
      return delivery.promise;
    });
    commit({ epoch: "old", offset: 5 });
    storage.sql.exec("DELETE FROM room_outgoing");
    outgoing.forget();
    commit({ epoch: "new", offset: 5 });
    expect([...sent.keys()]).toEqual(["old:5/0", "new:5/0"]);
    sent.get("old:5/0")!.resolve();
    await work[0];
    expect(outgoing.isEmpty).toBe(false);
    sent.get("new:5/0")!.resolve();
    await work[1];
    expect(outgoing.isEmpty).toBe(true);
  }));

it("messages that wait behind one on its way arrive, though their room is erased meanwhile", () =>
  withStorage(async (storage) => {
    const arrived: string[] = [];
    const first = Promise.withResolvers<void>();
    const { outgoing, settle, commit } = opened(storage, async ({ params }) => {
      if (params === "[1]") await first.promise;
      arrived.push(params);
    });
    for (const offset of [1, 2]) commit({ offset });
    storage.sql.exec("DELETE FROM room_outgoing");
    outgoing.forget();
    first.resolve();
    await settle();
    expect([arrived.toSorted(), outgoing.isEmpty]).toEqual([["[1]", "[2]"], true]);
  }));
