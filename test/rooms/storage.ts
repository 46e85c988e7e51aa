// Real storage for tests of a room's parts: that of an object which nobody else uses.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { ObjectStorage } from "../../src/rooms/platform/object-storage.ts";
import type { Entry } from "../../src/rooms/rpc/log-entry.ts";

/** Runs inside a fresh object, with its storage. */
export const withStorage = <T>(
  run: (storage: DurableObjectStorage) => T | Promise<T>,
): Promise<T> =>
  runInDurableObject(
    env.ROOMS.getByName(`default/chat/group/storage ${crypto.randomUUID()}`),
    (_, { storage }) => run(storage),
  );

/** As parts of an object use it. */
export const objectStorageOf = (storage: DurableObjectStorage): ObjectStorage =>
  new ObjectStorage({ id: {}, storage }, []);

/** The entries of these numbers. */
export const entries = (first: number, last = first, more: Partial<Entry> = {}): Entry[] =>
  Array.from({ length: last - first + 1 }, (_, i) => ({
    offset: first + i,
    at: 1_000,
    target: "said",
    params: `[${first + i}]`,
    ...more,
  }));

export const presenceEntries = (first: number, last = first): Entry[] =>
  entries(first, last, { target: "$/presence", params: "[{}]" });

export const offsets = (list: readonly Entry[] | undefined): number[] | undefined =>
  list?.map(({ offset }) => offset);

/** 3, 7 → [3, 4, 5, 6, 7] */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
