// What schemas make of values of SignalR clients: names in any case, and the other form of a value where a schema
// objects.

import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { bind } from "../../../src/dispatch/define/bind-value.ts";
import { shapes } from "../../../src/dispatch/define/member-names.ts";
import type { Binding } from "../../../src/dispatch/define/value-conversions.ts";

const shapeOf = shapes();

async function bound(schema: StandardSchemaV1, value: unknown, binding: Binding) {
  const result = await bind(schema, value, { shapeOf, binding });
  return result.issues ? "refused" : result.value;
}

const Note = z.object({
  title: z.string(),
  note: z.string().optional(),
  kids: z.array(z.object({ deepName: z.int() })).default([]),
});
const Tree = z.object({
  id: z.string(),
  get kids() {
    return z.array(Tree).optional();
  },
});
const Shape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("dot"), at: z.date() }),
  z.object({ kind: z.literal("line"), length: z.number() }),
]);
const Price = z.object({ n: z.number() });
const Blob = z.object({ b: z.instanceof(Uint8Array) });
const digits = Uint8Array.from(atob("1234"), (unit) => unit.charCodeAt(0));
const day = "2026-01-02T00:00:00.000Z";

type Row = readonly [title: string, schema: StandardSchemaV1, value: unknown, read: unknown];

describe("names", () => {
  test.each<Row>([
    ["any case", Note, { TITLE: "a", Note: "n" }, { title: "a", note: "n", kids: [] }],
    ["an exact one first", Note, { title: "b", Title: "a" }, { title: "b", kids: [] }],
    ["of two others, the last", Note, { TITLE: "a", Title: "b" }, { title: "b", kids: [] }],
    [
      "at depth",
      Note,
      { title: "a", Kids: [{ DEEPNAME: 1 }] },
      { title: "a", kids: [{ deepName: 1 }] },
    ],
    ["in a tuple", z.tuple([z.int(), Note]), [1, { Title: "a" }], [1, { title: "a", kids: [] }]],
    [
      "in a record, whose keys are data",
      z.record(z.string(), Note),
      { Title: { Title: "a" } },
      { Title: { title: "a", kids: [] } },
    ],
    [
      "of a schema of itself",
      Tree,
      { ID: "1", Kids: [{ Id: "2", KIDS: [] }] },
      { id: "1", kids: [{ id: "2", kids: [] }] },
    ],
    ["of a union", Shape, { Kind: "line", Length: 2 }, { kind: "line", length: 2 }],
    ["of a strict object", z.strictObject({ a: z.int() }), { A: 1 }, { a: 1 }],
    [
      "of valibot, where required",
      v.object({ title: v.string(), n: v.number() }),
      { Title: "a", N: 1 },
      { title: "a", n: 1 },
    ],
    [
      "of zod/mini, behind a union and a transform",
      mini.union([
        mini.pipe(
          mini.string(),
          mini.transform((title) => ({ title })),
        ),
        mini.object({ title: mini.string(), at: mini.optional(mini.date()) }),
      ]),
      { Title: "a" },
      { title: "a" },
    ],
    ["no name at all", Note, { header: "a" }, "refused"],
  ])("%s", async (_title, schema, value, read) => {
    for (const binding of ["json", "msgpack"] as const)
      expect(await bound(schema, value, binding)).toEqual(read);
  });

  test("what fits is handed on as it is", async () => {
    const value = { title: "a", kids: [{ deepName: 1 }] };
    expect(shapeOf(Note)!.renamed(value)).toBe(value);
    expect(shapeOf(z.string())).toBeUndefined();
    expect(await bound(z.unknown(), value, "json")).toBe(value);
  });
});

describe("forms", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  test.each<Row>([
    ["a time for a text", z.string(), new Date(day), day],
    ["a time for a time", z.date(), new Date(day), new Date(day)],
    ["bytes for base64", z.base64(), bytes, "AQID"],
    ["a bigint beyond 2⁵³", z.bigint(), 2n ** 60n, 2n ** 60n],
    ["a number for a bigint", z.bigint(), 5, 5n],
    ["half a number for a bigint", z.bigint(), 0.5, "refused"],
    ["a bigint for a number", z.number(), 2n ** 60n, "refused"],
    ["a Map for a record", z.record(z.string(), z.int()), new Map([[1, 2]]), { 1: 2 }],
    [
      "an object for a Map",
      z.map(z.int(), z.string()),
      { 1: "a", "-2": "b" },
      new Map([
        [1, "a"],
        [-2, "b"],
      ]),
    ],
    ["an object for a Map of texts", z.map(z.string(), z.int()), { bob: 1 }, new Map([["bob", 1]])],
    ["null for what may be absent", z.string().optional(), null, undefined],
    ["null for a default", z.int().default(7), null, 7],
    ["null for a text", z.string(), null, "refused"],
    ["null for a nullable", z.string().nullable(), null, null],
    [
      "a time within a union",
      z.union([z.int(), z.object({ at: z.string() })]),
      { at: new Date(day) },
      { at: day },
    ],
    [
      "two forms in one value",
      z.object({ at: z.string(), n: z.bigint() }),
      { at: new Date(day), n: 1 },
      { at: day, n: 1n },
    ],
    [
      "one form too few",
      z.object({ at: z.string(), n: z.bigint() }),
      { at: new Date(day), n: "x" },
      "refused",
    ],
  ])("%s", async (_title, schema, value, read) => {
    for (const binding of ["json", "msgpack"] as const)
      expect(await bound(schema, value, binding)).toEqual(read);
  });

  test.each<[string, StandardSchemaV1, unknown, readonly [json: unknown, msgpack: unknown]]>([
    ["a text for a time", z.date(), day, [new Date(day), "refused"]],
    ["a text that is no time", z.date(), "soon", ["refused", "refused"]],
    ["base64 for bytes", z.instanceof(Uint8Array), "AQID", [bytes, "refused"]],
    ["a decimal", z.number(), "12.340", ["refused", 12.34]],
    ["a whole decimal", z.number(), "-120", ["refused", -120]],
    ["a decimal of nothing", z.number(), "0.00", ["refused", 0]],
    ["too many digits", z.number(), "79228162514264337593543950335", ["refused", "refused"]],
    ["a text without end", z.number(), `1.${"0".repeat(32_000)}1`, ["refused", "refused"]],
    ["a text of digits for a text", z.string(), "12", ["12", "12"]],
  ])("%s", async (_title, schema, value, [json, msgpack]) => {
    expect(await bound(schema, value, "json")).toEqual(json);
    expect(await bound(schema, value, "json-rpc")).toEqual(json);
    expect(await bound(schema, value, "msgpack")).toEqual(msgpack);
  });

  test.each<Row>([
    ["a decimal", z.number(), "12.340", 12.34],
    ["digits that are bytes", z.instanceof(Uint8Array), "1234", digits],
    [
      "a decimal where one of several schemas is to fit",
      z.union([Price, Blob]),
      { n: "1" },
      { n: 1 },
    ],
    ["digits that are bytes there", z.union([Price, Blob]), { b: "1234" }, { b: digits }],
    ["a time", z.union([z.object({ at: z.date() }), Blob]), { at: day }, { at: new Date(day) }],
    ["no digits", z.number(), "x", "refused"],
  ])("of MessagePack that were JSON on their way: %s", async (_title, schema, value, read) => {
    expect(await bound(schema, value, "either")).toEqual(read);
  });

  const Move = z.object({ kind: z.literal("move"), at: z.date(), n: z.number() });
  test.each<Row>([
    [
      "a time where one of several schemas is to fit",
      z.union([Move, Blob]),
      { kind: "move", at: day, n: 1 },
      { kind: "move", at: new Date(day), n: 1 },
    ],
    ["bytes there", z.union([Price, Blob]), { b: "1234" }, { b: digits }],
    [
      "of valibot, too",
      v.union([v.object({ at: v.array(v.date()) }), v.string()]),
      { at: [day] },
      { at: [new Date(day)] },
    ],
    ["a text where both fit", z.union([z.date(), z.string()]), day, day],
    [
      "as many times as a frame has room for",
      z.array(z.date()),
      Array.from({ length: 1200 }, () => day),
      Array.from({ length: 1200 }, () => new Date(day)),
    ],
    ["no time for a number", z.coerce.number(), "2026-01-02", "refused"],
    ["no bytes for a number", z.coerce.number().min(5), "CQ==", "refused"],
    ["no bytes for an object", z.object({ a: z.string().optional() }), "AQID", "refused"],
    ["no time for an object of valibot", v.looseObject({}), day, "refused"],
    ["no Map for an object", z.strictObject({ a: z.int().optional() }), { b: 1 }, "refused"],
    ["no bytes for another text", z.unknown().refine((text) => text !== "root"), "root", "refused"],
    [
      "the times alone, beside such",
      z.object({ at: z.date(), n: z.coerce.number().catch(0) }),
      { at: day, n: day },
      { at: new Date(day), n: 0 },
    ],
    [
      "nothing where a check that expects a text throws",
      z.custom<string>((text) => (text as string).startsWith("#")),
      "1234",
      "refused",
    ],
  ])("of JSON: %s", async (_title, schema, value, read) => {
    for (const binding of ["json", "json-rpc"] as const)
      expect(await bound(schema, value, binding)).toEqual(read);
  });

  test("the issue that remains is the one that no form mends", async () => {
    const schema = z.object({ at: z.string(), n: z.int() });
    const result = await bind(schema, { at: new Date(0), n: "x" }, { shapeOf, binding: "json" });
    expect(result.issues?.map(({ path }) => path)).toEqual([["n"]]);
  });

  test("a value that is refused at each of its levels is looked through once for each form", async () => {
    let looks = 0;
    const ownKeys = (list: object) => (looks++, Reflect.ownKeys(list));
    const list = new Proxy(["a"], { ownKeys });
    const Level = z.strictObject({
      get down() {
        return Level.optional();
      },
      list: z.array(z.string()).optional(),
    });
    let value: object = { list };
    for (let level = 0; level < 50; level++) value = { down: value, odd: 1 };
    for (const binding of ["json", "json-rpc"] as const)
      expect(await bound(Level, value, binding)).toBe("refused");
    expect(looks).toBeLessThan(50);
  });

  test("a value of a thousand objections costs a handful of validations", async () => {
    let validations = 0;
    const schema = z.preprocess((value) => (validations++, value), z.array(z.bigint().min(10n)));
    expect(
      await bound(
        schema,
        Array.from({ length: 1000 }, () => 1),
        "json",
      ),
    ).toBe("refused");
    expect(validations).toBeLessThan(20);
  });

  test.each([
    [4_000, "bigint", 3],
    [16_000, "refused", 1],
  ])("%d numbers for bigints are %s after %d validations", async (count, outcome, most) => {
    let validations = 0;
    const schema = z.preprocess((value) => (validations++, value), z.array(z.bigint()));
    const got = await bound(schema, Array(count).fill(1), "json");
    expect(Array.isArray(got) ? typeof got.at(-1) : got).toBe(outcome);
    expect(validations).toBeLessThanOrEqual(most);
  });
});
