// The types of values after they were sent. Compiled by `npm run types`; never run. That values arrive so:
// test/dispatch/testing/wire-values.test.ts.

import * as z from "zod";
import type { HandlerOf, SavedMessage } from "../../src/client/index.ts";
import { hub, method, stream, type HubCalls, type Wire } from "../../src/hub.ts";
import { expect, type Equal } from "./equal.ts";

// Types that contain themselves.
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
interface Tree {
  readonly at: Date;
  readonly branches: readonly Tree[];
}
interface WireTree {
  readonly at: string;
  readonly branches: readonly WireTree[];
}
expect<Equal<Wire<Json>, Json>>();
expect<Equal<Wire<{ readonly value: Json; readonly at: Date }>["value"], Json>>();
declare const tree: Wire<Tree>;
tree satisfies WireTree;
tree.branches[0]?.branches[0]?.at.toUpperCase();

type Dates = (Date | Dates)[];
type FrozenDates = readonly (Date | FrozenDates)[];
type WireDates = (string | WireDates)[];
declare const dates: Wire<Dates>;
declare const frozen: Wire<FrozenDates>;
dates satisfies WireDates;
[dates[0], frozen[0]] satisfies readonly unknown[];
// @ts-expect-error an array that was frozen stays so
frozen.push("");
expect<Equal<Wire<[Date, ...Date[]]>, [string, ...string[]]>>();

// Values without a form in JSON are left out; objects of the language have no content.
class Point {
  readonly x: number = 1;
  readonly label?: string;
  length(): number {
    return this.x;
  }
}
class Refusal extends Error {
  readonly reason: string = "closed";
}
expect<Equal<Wire<Point>, { readonly x: number; readonly label?: string }>>();
expect<Equal<Wire<{ id: number; run?: () => void; mark: symbol }>, { id: number }>>();
expect<Equal<Wire<{ run: Date | (() => void) }>, { run: string | undefined }>>();
expect<Equal<Wire<Map<string, Date | symbol>>, { [name: string]: string | undefined }>>();
expect<Equal<Wire<(Date | (() => void))[]>, (string | null)[]>>();
expect<Equal<Wire<[Date, () => void]>, [string, null]>>();
expect<Equal<Wire<{ kind: "a"; other?: never; none: undefined }>["kind"], "a">>();
expect<Equal<keyof Wire<{ kind: "a"; other?: never; at: Date }>, "kind" | "other" | "at">>();
expect<Equal<Wire<{ tags: Set<string>; later: Promise<Date> }>, { tags: {}; later: {} }>>();
expect<Equal<Wire<Refusal>, { readonly reason: string }>>();
expect<Equal<Wire<Float32Array>[number], number>>();
expect<Equal<keyof Wire<Float32Array>, number>>();
/** `any`, as user code has it. */
type Parsed = ReturnType<typeof JSON.parse>;
expect<Equal<Wire<Parsed>, Parsed>>();
expect<Equal<Wire<{ at: Date; parsed: Parsed }>["parsed"], Parsed>>();
expect<Equal<Wire<unknown>, unknown>>();

// undefined is null in an array, and where a method or a stream gives it.
expect<Equal<Wire<(Date | undefined)[]>, (string | null | undefined)[]>>();
expect<Equal<Wire<readonly [Date, bigint]>, readonly [string, number]>>();
export const FindHub = hub("find").methods({
  find: method([z.string()], (_context, name) => (name === "" ? undefined : name)),
  dated: method([], (): { at: Date } | undefined => undefined),
  nothing: method([], () => {}),
  items: stream([], async function* () {
    yield new Date(0);
    yield undefined;
  }),
});
declare const { invoke, stream: streams }: HubCalls<typeof FindHub>;
expect<Equal<Awaited<ReturnType<typeof invoke.find>>, string | null | undefined>>();
expect<Equal<Awaited<ReturnType<typeof invoke.dated>>, { at: string } | null | undefined>>();
expect<Equal<Awaited<ReturnType<typeof invoke.nothing>>, void>>();
expect<Equal<ReturnType<typeof streams.items>, AsyncIterable<string | null | undefined>>>();
export async function found(): Promise<number> {
  const name = await invoke.find("vase");
  // @ts-expect-error it may be null, which is not `undefined`
  const length: number | undefined = name === undefined ? 0 : name.length;
  return length ?? name?.length ?? 0;
}

// So it is in arguments of client methods, for handlers and in messages.
interface Told {
  told(text: string, note?: string, at?: Date): void;
}
export const TellHub = hub<Told>("tell").methods({});
type Arguments = [text: string, note?: string | null | undefined, at?: string | null | undefined];
expect<Equal<Parameters<HandlerOf<Told["told"]>>, Arguments>>();
expect<Equal<SavedMessage<typeof TellHub>["params"], Readonly<Arguments>>>();
