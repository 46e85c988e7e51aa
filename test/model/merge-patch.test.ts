// Merge patches: the examples of RFC 7396, differences of states, and what stays the same object.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch, patchBetween } from "../../src/model/merge-patch.ts";

/** RFC 7396, appendix A. */
it.each<[string, string, string]>([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', "null", "null"],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])("%s patched by %s is %s", (target, patch, result) => {
  expect(applyPatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
});

const keys = fc.constantFrom("a", "b", "c", "constructor", "toString");
const { state } = fc.letrec<{ state: unknown; item: unknown }>((tie) => ({
  item: fc.oneof(fc.constant(null), tie("state")),
  state: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom("", "x"),
    fc.array(tie("item"), { maxLength: 3 }),
    fc.dictionary(keys, tie("state"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("the patch between two states", () => {
  it("leads from the one to the other, applied once or twice", () => {
    const check = (before: unknown, after: unknown) => {
      const patch = JSON.parse(JSON.stringify({ patch: patchBetween(before, after) })).patch;
      const patched = patch === undefined ? before : applyPatch(before, patch);
      expect(patched).toEqual(after);
      expect(patch === undefined ? patched : applyPatch(patched, patch)).toBe(patched);
    };
    fc.assert(fc.property(state, state, check), { numRuns: 5_000 });
  });

  it("is none where they are equal, whatever the order of members", () => {
    expect(patchBetween({ a: 1, b: [{ c: 1 }] }, { b: [{ c: 1 }], a: 1 })).toBeUndefined();
    expect(patchBetween({ a: 1 }, { a: 1, b: undefined })).toBeUndefined();
    expect(patchBetween({ a: 1, b: undefined }, { a: 1 })).toBeUndefined();
  });

  it("[F19] follows states where a key is deleted and made again, or becomes another kind", () => {
    expect(patchBetween({ a: { x: 1, y: 2 } }, { a: { x: 1 } })).toEqual({ a: { y: null } });
    expect(patchBetween({ a: { x: 1 } }, { a: [1] })).toEqual({ a: [1] });
    expect(patchBetween({ a: [1] }, { a: { x: 1 } })).toEqual({ a: { x: 1 } });
    expect(patchBetween({ a: 1 }, {})).toEqual({ a: null });
  });
});

describe("applying a patch", () => {
  it("keeps objects that do not change, and the whole where nothing does", () => {
    const before = { a: { x: 1 }, b: { y: 1 }, list: [1, 2] };
    const after = applyPatch(before, { a: { x: 2 } }) as typeof before;
    expect(after).toEqual({ a: { x: 2 }, b: { y: 1 }, list: [1, 2] });
    expect([after.b, after.list]).toEqual([before.b, before.list]);
    expect(after.b).toBe(before.b);
    expect(before.a.x).toBe(1);
    expect(applyPatch(before, { b: { y: 1 }, list: [1, 2], none: null })).toBe(before);
  });

  it("[F9] takes names of Object.prototype as properties like others, and skips __proto__", () => {
    expect(applyPatch({}, { constructor: { a: 1 } })).toEqual({ constructor: { a: 1 } });
    const patched = applyPatch({}, JSON.parse('{"__proto__":{"isAdmin":true},"a":1}')) as object;
    expect(patched).toEqual({ a: 1 });
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
    expect("isAdmin" in patched).toBe(false);
  });
});
