// Stores in one storage: few keys are read once, many are read each time, and both give the same.

import { describe, expect, it } from "vitest";
import type { KeyValues } from "../../../src/model/stored-values.ts";
import { PrefixedKv } from "../../../src/rooms/platform/prefixed-kv.ts";

function memory() {
  const values = new Map<string, unknown>();
  let reads = 0;
  const kv = {
    get: (key: string) => (reads++, values.get(key)),
    put: (key: string, value: unknown) => void values.set(key, value),
    delete: (key: string) => values.delete(key),
    list: ({ start = "", end = "~" } = {}) => {
      reads++;
      const keys = [...values.keys()].filter((key) => start <= key && key < end);
      return keys.toSorted().map((key) => [key, values.get(key)]);
    },
  } as unknown as KeyValues;
  return { kv, values, reads: () => reads };
}

describe("a store of a few keys", () => {
  it("is read once, also where it is empty", () => {
    const { kv, reads } = memory();
    const store = new PrefixedKv(kv, "user/alice/");
    expect([store.get("ban"), store.get("changes"), store.list("object ")]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    store.put("ban", 1);
    expect([store.get("ban"), reads()]).toEqual([1, 1]);
  });

  it("has its own keys alone, also beside a user whose id begins like its own", () => {
    const { kv, values } = memory();
    for (const user of ["alic", "alice", "alice0", "alice!", "bob"])
      values.set(`user/${user}/name`, user);
    const store = new PrefixedKv(kv, "user/alice/");
    expect(store.list("")).toEqual([["name", "alice"]]);
  });

  it("forgets what is deleted", () => {
    const { kv, values } = memory();
    values.set("user/alice/ban", 1);
    const store = new PrefixedKv(kv, "user/alice/");
    expect(store.get("ban")).toBe(1);
    store.delete("ban");
    expect([store.get("ban"), store.list(""), values.size]).toEqual([undefined, [], 0]);
  });
});

describe.each([3, 8, 9, 40])("a store of %i keys", (count) => {
  it("lists them in order, with and without those of before", () => {
    const { kv, values } = memory();
    const before = Math.floor(count / 2);
    for (let at = 0; at < before; at++) values.set(`user/alice/object ${at}`, at);
    const store = new PrefixedKv(kv, "user/alice/");
    store.put("other", true);
    for (let at = before; at < count; at++) store.put(`object ${at}`, at);
    const listed = store.list<number>("object ");
    expect(listed.map(([key]) => key)).toEqual(
      Array.from({ length: count }, (_, at) => String(at)).toSorted(),
    );
    expect(listed.every(([key, value]) => key === String(value))).toBe(true);
    expect([store.get("object 1"), store.get("other"), store.get("none")]).toEqual([
      1,
      true,
      undefined,
    ]);
  });
});

it("keeps nothing of long keys: memory has a bound in characters", () => {
  const { kv, values, reads } = memory();
  const long = "x".repeat(400);
  for (const at of [1, 2, 3]) values.set(`user/alice/object ${long}${at}`, at);
  const store = new PrefixedKv(kv, "user/alice/");
  const before = [store.get(`object ${long}1`), reads()];
  expect([...before, store.get(`object ${long}1`), reads()]).toEqual([1, 2, 1, 3]);
});
