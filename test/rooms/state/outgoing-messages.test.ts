// Messages of actions to other rooms, over an erasure of their room.

import { expect, it, vi } from "vitest";
import { OutgoingMessages } from "../../../src/rooms/state/outgoing-messages.ts";
import type { Draft } from "../../../src/rooms/rpc/log-entry.ts";
import { objectStorageOf, withStorage } from "../storage.ts";

it("messages of the new epoch are not taken for those under the same offset of the old one", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await withStorage(async (storage) => {
    const work: Promise<unknown>[] = [];
    const sent = new Map<string, PromiseWithResolvers<void>>();
    const outgoing = new OutgoingMessages({
      sql: objectStorageOf(storage).sql,
      most: { messages: 10, bytes: 10_000 },
      publish(_, { id }: Draft) {
        const delivery = Promise.withResolvers<void>();
        sent.set(id!, delivery);
        return delivery.promise;
      },
      waitUntil: (one) => void work.push(one),
      arm() {},
    });
    const commit = (epoch: string) => {
      const message = {
        topic: { kind: "group", name: "x" },
        draft: { target: "said", params: "[]" },
      };
      outgoing.add([message as never], { messages: 1, bytes: 10 });
      outgoing.seal({ epoch, offset: 5 });
      outgoing.write();
      outgoing.written();
      outgoing.flushed(5, true, 0);
    };
    commit("old");
    outgoing.erase();
    outgoing.forget();
    commit("new");
    expect([...sent.keys()]).toEqual(["old:5/0", "new:5/0"]);
    sent.get("old:5/0")!.resolve();
    await work[0];
    expect(outgoing.isEmpty).toBe(false);
    sent.get("new:5/0")!.resolve();
    await work[1];
    expect(outgoing.isEmpty).toBe(true);
  });
  vi.restoreAllMocks();
});
