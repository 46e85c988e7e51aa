// Drafts: a state is changed in place, and the one before stays as it was.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftOf } from "../../src/model/draft.ts";
import { applyPatch, patchBetween } from "../../src/model/merge-patch.ts";

function change<T>(base: T, run: (draft: { state: T }) => void): T {
  const [draft, finish] = draftOf(base);
  run(draft);
  return finish();
}

describe("a draft", () => {
  it("leaves the state before as it was, and shares what does not change", () => {
    const before = { a: { n: 1 }, b: { n: 1 } };
    const after = change(before, ({ state }) => void (state.a.n += 1));
    expect([before, after]).toEqual([
      { a: { n: 1 }, b: { n: 1 } },
      { a: { n: 2 }, b: { n: 1 } },
    ]);
    expect(after.b).toBe(before.b);
  });

  it("is the same object where nothing has changed, reads and equal writes included", () => {
    const before = { a: { n: 1 }, list: [{ n: 1 }] };
    const after = change(before, ({ state }) => {
      state.a.n = 1;
      expect(JSON.stringify(state.list)).toBe('[{"n":1}]');
    });
    expect(after).toBe(before);
  });

  it("replaces the state as a whole", () => {
    expect(change<object>({ a: 1 }, (draft) => void (draft.state = { b: 1 }))).toEqual({ b: 1 });
    expect(change(1, (draft) => void draft.state++)).toBe(2);
  });

  it("copies what is assigned, drafts as they stand then", () => {
    const given = { n: 1 };
    const after = change<Record<string, { n: number }>>({ a: { n: 5 } }, ({ state }) => {
      state["b"] = given;
      given.n = 2;
      state["a"]!.n = 6;
      state["c"] = state["a"]!;
      state["a"]!.n = 7;
    });
    expect(after).toEqual({ a: { n: 7 }, b: { n: 1 }, c: { n: 6 } });
    expect(after["c"]).not.toBe(after["a"]);
  });

  it("removes a property that is deleted or set to undefined", () => {
    const after = change<{ a?: number | undefined; b?: number }>({ a: 1, b: 1 }, ({ state }) => {
      state.a = undefined;
      delete state.b;
      expect(["a" in state, Object.keys(state)]).toEqual([false, []]);
    });
    expect(after).toEqual({});
  });

  it("keeps an item of an array that moves within it", () => {
    const after = change({ list: [{ n: 1 }, { n: 2 }, { n: 3 }] }, ({ state: { list } }) => {
      const last = list[2]!;
      list.sort((a, b) => b.n - a.n);
      list.splice(1, 1);
      last.n = 30;
      list.push({ n: 4 });
    });
    expect(after).toEqual({ list: [{ n: 30 }, { n: 1 }, { n: 4 }] });
  });

  it("makes two items of one that was put into an array twice", () => {
    const after = change({ list: [{ n: 1 }] }, ({ state: { list } }) => list.push(list[0]!));
    expect(after.list[1]).not.toBe(after.list[0]);
    const later = change(after, ({ state: { list } }) => void (list[0]!.n = 2));
    expect(later).toEqual({ list: [{ n: 2 }, { n: 1 }] });
  });

  it("[F7] throws a TypeError at every access after its end", () => {
    const [draft, finish] = draftOf({ a: { n: 1 } });
    const { state } = draft;
    const { a } = state;
    finish();
    expect(() => a.n).toThrow(TypeError);
    expect(() => void (a.n = 2)).toThrow(TypeError);
    expect(() => draft.state).toThrow(TypeError);
    expect(() => Object.keys(state)).toThrow(TypeError);
  });

  it("gives a frozen state, which no later code changes", () => {
    const after = change<{ a: { n: number }[] }>({ a: [] }, ({ state }) => state.a.push({ n: 1 }));
    expect(() => void (after.a[0]!.n = 2)).toThrow(TypeError);
  });
});

class Money {
  readonly cents = 1;
}
const circle: Record<string, unknown> = {};
circle["inner"] = circle;
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

describe("[F9] a state refuses", () => {
  it.each<[string, unknown, string]>([
    ["a date", new Date(0), "state.x is no plain object, but a Date."],
    ["a map", { m: new Map() }, "state.x.m is no plain object, but a Map."],
    ["an instance", new Money(), "state.x is no plain object, but a Money."],
    ["a function", [() => 1], "state.x[0] is no JSON, but a function."],
    ["a bigint", 1n, "state.x is no JSON, but a bigint."],
    ["NaN", { n: Number.NaN }, "state.x.n is NaN."],
    ["infinity", [Infinity], "state.x[0] is Infinity."],
    ["null", null, "state.x is null: leave the property out instead."],
    ["null within", { a: { b: null } }, "state.x.a.b is null: leave the property out instead."],
    ["a hole", [1, undefined, 2], "state.x[1] is undefined: use null, or leave it out."],
    ["half a surrogate pair", "\ud800", "state.x has half a surrogate pair."],
    ["the same in a key", { "\ud800": 1 }, "state.x.\ud800 has half a surrogate pair in its name."],
    [
      "a prototype",
      JSON.parse('{"__proto__":1}'),
      "state.x.__proto__ is a prototype, and no property.",
    ],
    ["a circle", circle, "levels, or in a circle."],
    ["depth", deep(100), "is nested deeper than 32 levels"],
    ["a symbol", Symbol("s"), "state.x is no JSON, but a symbol."],
  ])("%s", (_title, value, message) => {
    const assign = () => change<object>({}, ({ state }) => Object.assign(state, { x: value }));
    expect(assign).toThrow(expect.objectContaining({ code: "invalid_state" }));
    expect(assign).toThrow(message);
  });

  it("assigning to a prototype, and null deep inside a draft", () => {
    const write = (key: string, value: unknown) => () =>
      change<Record<string, Record<string, unknown>>>({ a: {} }, ({ state }) => {
        state["a"]![key] = value;
      });
    expect(write("__proto__", { isAdmin: true })).toThrow("state.a.__proto__ is a prototype");
    expect(write("b", null)).toThrow("state.a.b is null");
    expect("isAdmin" in {}).toBe(false);
  });

  it("nothing by the names of prototypes: a record by ids of users has its own members alone", () => {
    const ids = ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"];
    const after = change<{ of: Record<string, number> }>({ of: {} }, ({ state }) => {
      for (const id of ids) expect([state.of[id], id in state.of]).toEqual([undefined, false]);
      state.of["constructor"] = (state.of["constructor"] ?? 0) + 1;
    });
    expect(after).toEqual({ of: { constructor: 1 } });
    expect(change({ list: [1] }, ({ state }) => void state.list.push(2)).list).toEqual([1, 2]);
  });

  it("holes of an array, and keys that are no indices", () => {
    const edit = (run: (list: number[]) => void) => () =>
      change({ list: [1, 2] }, ({ state }) => run(state.list));
    expect(edit((list) => delete list[0])).toThrow("state.list[0] is undefined");
    expect(edit((list) => void (list[5] = 1))).toThrow("state.list[2] is undefined");
    expect(edit((list) => void (list.length = 9))).toThrow("does not grow");
    expect(edit((list) => Object.assign(list, { name: "x" }))).toThrow("no index of an array");
  });
});

type Tree = Record<string, unknown>;
const key = fc.constantFrom("a", "b", "c");
const value = fc.constantFrom(1, "x", {}, { a: 1 }, [], [{ a: 1 }, { a: 2 }], { b: { c: [1] } });
const edit = fc.record({
  path: fc.array(fc.oneof(key, fc.nat(2).map(String)), { maxLength: 3 }),
  key,
  value,
  verb: fc.constantFrom("set", "delete", "push", "splice", "reverse", "copy", "whole"),
});

/** The same edit of a draft and of a plain copy, where assigned values are copied. */
function apply(
  root: { state: Tree },
  { path, key: name, value: given, verb }: typeof edit extends fc.Arbitrary<infer E> ? E : never,
) {
  let at: unknown = root.state;
  for (const step of path) {
    const next = (at as Tree)[step];
    if (typeof next === "object" && next !== null) at = next;
  }
  const copy = structuredClone(given);
  if (Array.isArray(at)) {
    if (verb === "push") at.push(copy);
    if (verb === "splice") at.splice(1, 1, copy);
    if (verb === "reverse") at.reverse();
    return;
  }
  const object = at as Tree;
  if (verb === "set" || verb === "push") object[name] = copy;
  if (verb === "delete") delete object[name];
  if (verb === "copy" && object["a"] !== undefined)
    object[name] = JSON.parse(JSON.stringify(object["a"]));
  if (verb === "whole") root.state = { [name]: copy };
}

it("a draft equals a plain copy after random edits, and the patch leads to it", () => {
  const check = (
    start: Tree,
    rounds: (typeof edit extends fc.Arbitrary<infer E> ? E : never)[][],
  ) => {
    const plain = { state: structuredClone(start) };
    let base = structuredClone(start);
    for (const edits of rounds) {
      const before = JSON.stringify(base);
      const [draft, finish] = draftOf(base);
      for (const one of edits) {
        apply(draft, one);
        apply(plain, one);
      }
      const after = finish();
      expect(after).toEqual(plain.state);
      expect(JSON.stringify(base)).toBe(before);
      const patch = patchBetween(base, after);
      expect(patch === undefined ? base : applyPatch(base, patch)).toEqual(after);
      base = after;
    }
  };
  const start = fc.dictionary(key, value, { noNullPrototype: true });
  fc.assert(
    fc.property(start, fc.array(fc.array(edit, { maxLength: 8 }), { maxLength: 4 }), check),
    { numRuns: 3_000 },
  );
});
