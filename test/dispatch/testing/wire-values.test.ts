// Values of hub code, as clients of JSON-RPC get them: each has the type that the compiler gives it (`Wire`).

import { expect, it } from "vitest";
import * as z from "zod";
import { world } from "../../../src/dispatch/testing/testing.ts";
import { hub, HubError, method, stream } from "../../../src/hub.ts";

class Point {
  readonly x = 1;
  readonly at = new Date(0);
  length(): number {
    return this.x;
  }
}

const OddHub = hub("odd").methods({
  point: method([], () => new Point()),
  set: method([], () => ({ tags: new Set(["a"]) })),
  error: method([], () => ({ error: new TypeError("no") })),
  refusal: method([], () => new HubError("sold_out", "No tea is left.")),
  floats: method([], () => new Float32Array([0.5])),
  functions: method([], () => ({ id: 1, run: () => {}, mark: Symbol("a") })),
  array: method([], () => [new Date(0), undefined, 1n]),
  find: method([z.string()], (_context, name) => (name === "" ? undefined : { name })),
  items: stream([], async function* () {
    yield new Date(0);
    yield undefined;
  }),
});

interface Told {
  told(text: string, note?: string, at?: Date): void;
}
const TellHub = hub<Told>("tell").methods({
  tell: method([], ({ clients }) => clients.caller.told("a", undefined, new Date(0))),
  cut: method([], ({ clients }) => clients.all.told("a", undefined)),
});

const { invoke, stream: streams } = await world(OddHub).connect();

it("leaves out what has no form in JSON", async () => {
  const point: { readonly x: number; readonly at: string } = await invoke.point();
  expect(point).toStrictEqual({ x: 1, at: "1970-01-01T00:00:00.000Z" });
  const functions: { id: number } = await invoke.functions();
  expect(functions).toStrictEqual({ id: 1 });
  const set: { tags: {} } = await invoke.set();
  expect(set).toStrictEqual({ tags: {} });
  const error: { error: {} } = await invoke.error();
  expect(error).toStrictEqual({ error: {} });
  const { code } = await invoke.refusal();
  expect(code).toBe("sold_out");
  const floats: { readonly [index: number]: number } = await invoke.floats();
  expect(floats).toStrictEqual({ 0: 0.5 });
});

it("has null for undefined in an array, as a result and as an item", async () => {
  const array: (string | number | null | undefined)[] = await invoke.array();
  expect(array).toStrictEqual(["1970-01-01T00:00:00.000Z", null, 1]);
  const found: { name: string } | null | undefined = await invoke.find("");
  expect(found).toBeNull();
  const items: (string | null | undefined)[] = [];
  for await (const item of streams.items()) items.push(item);
  expect(items).toEqual(["1970-01-01T00:00:00.000Z", null]);
});

it("has null for undefined in arguments of client methods", async () => {
  const told: [text: string, note?: string | null | undefined, at?: string | null | undefined][] =
    [];
  const tell = world(TellHub);
  const alice = await tell.connect({ handlers: { told: (...args) => void told.push(args) } });
  await alice.invoke.tell();
  await alice.invoke.cut();
  await tell.settled();
  expect(told).toStrictEqual([
    ["a", null, "1970-01-01T00:00:00.000Z"],
    ["a", null],
  ]);
});
