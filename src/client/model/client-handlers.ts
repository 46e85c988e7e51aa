// Types of the handlers that an application registers for the client methods of a hub.

import type { ClientOf, WireResult } from "../../dispatch/define/hub-types.ts";

/**
 * The handler of one client method `F`. Its arguments have their wire types: a Date arrives as a string, undefined as
 * null, and bytes as `B`, as in `Wire`. If the hub expects a result, the handler must return one of that type, or a
 * promise of it.
 */
export type HandlerOf<F, B = string> = F extends (...args: infer A) => infer R
  ? (
      ...args: Received<A, B>
    ) => [Awaited<R>] extends [void] ? unknown : Awaited<R> | Promise<Awaited<R>>
  : never;
type Received<A extends readonly unknown[], B> = { [I in keyof A]: WireResult<A[I], B> };

/** Handlers by method name; each one is optional. */
export type HandlersOf<H, B = string> = {
  readonly [K in keyof ClientOf<H>]?: HandlerOf<ClientOf<H>[K], B> | undefined;
};
