// Values → JSON text → values: the encoding of user code's values, without loss.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallId } from "../../src/model/message.ts";
import { LIMITS } from "../../src/model/options.ts";
import { encodeGivenParams, parseExactJson } from "../../src/protocols/exact-json.ts";
import { jsonRpc } from "../../src/protocols/json-rpc-codec.ts";
import { encodeParams, toJson } from "../../src/protocols/json.ts";
import { sizeOf } from "../support/seed.ts";

const SEED = 20261120;
const VALUES = sizeOf(10_000, 100_000);
const RUNS = { numRuns: VALUES, seed: SEED };
const TIME = { timeout: sizeOf(15_000, 300_000) };
const LARGE = { ...LIMITS, messageBytes: 2 ** 30 };

const bytes = (...values: number[]) => new Uint8Array(values);

describe("values", () => {
  test.each<[string, unknown, string]>([
    ["undefined becomes null", undefined, "null"],
    ["a function becomes null", () => 1, "null"],
    ["undefined members are absent", { a: undefined, b: 1 }, '{"b":1}'],
    ["undefined items keep their place", [1, undefined, 3], "[1,null,3]"],
    ["a date becomes ISO 8601", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ["bytes become base64", bytes(1, 2, 255), '"AQL/"'],
    ["no bytes become an empty string", bytes(), '""'],
    ["an ArrayBuffer becomes base64", bytes(1, 2, 255).buffer, '"AQL/"'],
    ["a view becomes base64 of what it shows", bytes(9, 1, 2, 255, 9).subarray(1, 4), '"AQL/"'],
    ["bytes are found at any depth", { a: [{ b: bytes(0) }] }, '{"a":[{"b":"AA=="}]}'],
    [
      "a date beside bytes stays a date",
      [new Date(0), bytes(0)],
      '["1970-01-01T00:00:00.000Z","AA=="]',
    ],
    ["toJSON is asked", { toJSON: () => "mine" }, '"mine"'],
    ["a lone surrogate is escaped", "\ud800", '"\\ud800"'],
    ["NaN becomes null", NaN, "null"],
  ])("%s", (_title, value, text) => {
    expect(toJson(value)).toBe(text);
  });

  test("bytes with a toJSON of their own, as Node's Buffer has, become base64", () => {
    const buffer = Object.assign(bytes(1, 2, 255), { toJSON: () => ({ type: "Buffer" }) });
    expect(toJson({ buffer })).toBe('{"buffer":"AQL/"}');
  });

  test("a megabyte of bytes survives", () => {
    const megabyte = new Uint8Array(2 ** 20).map((_, at) => at * 31);
    const text = JSON.parse(toJson(megabyte)) as string;
    expect(Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))).toEqual(megabyte);
  });

  test("places that are much longer than their message are refused", () => {
    const below = (key: string, count: number) => [
      { [key]: Array.from({ length: count }, () => bytes()) },
    ];
    expect(() => encodeParams(below("k".repeat(16_000), 8_000))).toThrow(TypeError);
    expect(() => encodeGivenParams(below("k".repeat(16_000), 8_000))).toThrow(
      expect.objectContaining({ code: "invalid_arguments" }),
    );
    expect(encodeParams(below("key", 8_000)).bytes).toHaveLength(8_000);
    expect(encodeParams(below("k".repeat(1_000), 4)).bytes).toHaveLength(4);
  });

  test("members that a toJSON hides have no places", () => {
    class Order {
      readonly times = new Map(Array.from({ length: 500 }, (_, at) => [`t${at}`, new Date(0)]));
      readonly #seal = bytes(1);
      toJSON(key: string) {
        return { key, seal: this.#seal };
      }
    }
    expect(encodeParams([new Order()])).toEqual({
      params: '[{"key":"0","seal":"AQ=="}]',
      bytes: [[0, "seal"]],
    });
  });

  test("places of honest records are accepted at any size", () => {
    const run = { createdAt: new Date(0), text: "a" };
    const of = <T>(count: number, one: T) => Array.from({ length: count }, () => one);
    const section = { paragraphs: [{ runs: of(5, run) }] };
    expect(encodeParams([{ document: { sections: of(500, section) } }]).bytes).toHaveLength(2_500);
  });

  test("a whole number has 10,000 digits at most", () => {
    const read = (digits: number) => parseExactJson(`[${"9".repeat(digits)}]`);
    expect(read(10_000)).toEqual([10n ** 10_000n - 1n]);
    expect(read(10_001)).toEqual([Infinity]);
  });

  test("arguments are one array", () => {
    expect(encodeParams([])).toStrictEqual({ params: "[]" });
    expect(encodeParams(["a", undefined, bytes(0)])).toStrictEqual({
      params: '["a",null,"AA=="]',
      bytes: [[2]],
    });
  });

  test("throws what JSON.stringify throws on BigInt, cycles and depth", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    for (const value of [1n, loop, deep])
      expect(() => toJson(value)).toThrow(/BigInt|circular|call stack/);
  });
});

/** A value of user code, and the value that a client reads. */
interface Pair {
  readonly value: unknown;
  readonly read: unknown;
}

const same = (value: unknown): Pair => ({ value, read: value });

const { pair } = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.string({ unit: "binary" }).map(same),
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)).map(same),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value) => ({ value, read: value + 0 })),
    fc.date({ noInvalidDate: true }).map((value) => ({ value, read: value.toISOString() })),
    fc.uint8Array().map((value) => ({ value, read: btoa(String.fromCharCode(...value)) })),
    fc.array(tie("pair")).map((pairs) => ({
      value: pairs.map(({ value }) => value),
      read: pairs.map(({ read }) => read),
    })),
    fc
      .dictionary(
        fc.string().filter((key) => key !== "__proto__"),
        tie("pair"),
      )
      .map((pairs) => ({
        value: Object.fromEntries(Object.entries(pairs).map(([key, { value }]) => [key, value])),
        read: Object.fromEntries(Object.entries(pairs).map(([key, { read }]) => [key, read])),
      })),
  ),
}));

const isAnswered = ({ value, read }: Pair): void => {
  const record = jsonRpc.encode({ type: "completion", id: 1, result: value });
  expect(JSON.parse(record)).toEqual({ jsonrpc: "2.0", id: 1, result: read });
};

const isHeardFromUs = (target: string, pairs: Pair[]): void => {
  const params = encodeParams(pairs.map(({ value }) => value));
  const wire = jsonRpc.encode({ type: "invocation", id: "s1", target, ...params });
  const heard = { type: "invocation", id: "s1", target, args: pairs.map(({ read }) => read) };
  expect(jsonRpc.decode(wire, LARGE)).toEqual({ messages: [heard], batch: false });
};

const isHeardFromClients = (id: CallId, pairs: Pair[]): void => {
  const params = pairs.map(({ read }) => read);
  const wire = JSON.stringify({ jsonrpc: "2.0", id, method: "m", params });
  const heard = { type: "invocation", id, target: "m", args: params };
  expect(jsonRpc.decode(wire, LARGE)).toEqual({ messages: [heard], batch: false });
};

/** Batches of the given sizes; a size of zero is a single record. Ids count up across all of them. */
const isJoinedInOrder = (sizes: number[]): void => {
  let id = 0;
  const answer = () => ({ type: "completion", id: id++, result: "[," }) as const;
  const records = sizes.map((size) =>
    size === 0
      ? jsonRpc.encode(answer())
      : jsonRpc.encode({ type: "batch", answers: Array.from({ length: size }, answer) }),
  );
  const frame = [JSON.parse(jsonRpc.join(records)) as { id: number }].flat();
  expect(frame.map((record) => record.id)).toEqual(Array.from({ length: id }, (_, at) => at));
};

describe("there and back", () => {
  test(`[R12] ${VALUES} results read as what the method returned`, TIME, () => {
    expect(fc.check(fc.property(pair, isAnswered), RUNS).counterexample).toBeNull();
  });

  test(`[R12] ${VALUES} calls said by us are heard as they were said`, TIME, () => {
    const names = fc.string({ unit: "binary", minLength: 1, maxLength: 128 });
    const calls = fc.property(names, fc.array(pair, { maxLength: 3 }), isHeardFromUs);
    expect(fc.check(calls, RUNS).counterexample).toBeNull();
  });

  test(`[R12] ${VALUES} calls said by a client are heard as they were said`, TIME, () => {
    const ids = fc.oneof(fc.string({ maxLength: 128 }), fc.maxSafeInteger(), fc.constant(null));
    const calls = fc.property(ids, fc.array(pair, { maxLength: 3 }), isHeardFromClients);
    expect(fc.check(calls, RUNS).counterexample).toBeNull();
  });

  test("[R12] one to five hundred records of a frame are all there, in their order", () => {
    const frames = fc.property(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 500 }),
      isJoinedInOrder,
    );
    expect(fc.check(frames, { numRuns: 200, seed: SEED }).counterexample).toBeNull();
  });
});
