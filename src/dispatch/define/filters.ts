// Filters: user code that runs around every call of a hub, and around the begin and end of its connections, as
// SignalR's hub filters do.

import type { HubContext } from "./hub-context.ts";
import type { Awaitable } from "./policies.ts";

/** A call of a method or stream, after it was found, authorised and validated. */
export interface FilteredCall<C> {
  readonly context: HubContext<C>;
  readonly hub: string;
  /** The method's name as the hub declares it, also if the caller spelled it in another case. */
  readonly method: string;
  /**
   * The output of the schemas; a stream argument is an async iterable. Arguments of an action are as the client sent
   * them, without the room's name: its room validates them, after the filters.
   */
  readonly args: readonly unknown[];
}

/**
 * Code around calls and connections. Each member is optional, and calls `next` once to run the inner filters and the
 * hub's own code. It may return another result, or throw instead: the caller then gets the error.
 */
// any: a filter that does not depend on a hub's client methods fits every hub.
export interface Filter<C = any> {
  /**
   * Around a method or stream. The result of a stream is the iterable of its items. Calls that were refused (not found,
   * forbidden, invalid arguments) do not reach filters.
   */
  invoke?(call: FilteredCall<C>, next: () => Promise<unknown>): Awaitable<unknown>;
  /** Around the hub's `connected`. Calls of the connection wait for it; an error closes the connection. */
  connected?(context: HubContext<C>, next: () => Promise<void>): Awaitable<void>;
  /** Around the hub's `disconnected`. `error` is undefined for a regular close. */
  disconnected?(
    context: HubContext<C>,
    error: Error | undefined,
    next: () => Promise<void>,
  ): Awaitable<void>;
}

/** An owner of filters, the outermost first. */
export interface FilterOwner {
  readonly filters: readonly Filter[];
}

/** Runs one filter around `next`, by the filter's member for the event; a filter without it runs `next` alone. */
type FilterStep<T> = (filter: Filter, next: () => Promise<T>) => Awaitable<T>;

/** Runs `inner` inside of all filters, and resolves with the result of the outermost. Rejects with their errors. */
export function runFilters<T>(
  { filters }: FilterOwner,
  step: FilterStep<T>,
  inner: () => Awaitable<T>,
): Promise<T> {
  const runFrom = async (index: number): Promise<T> => {
    const filter = filters[index];
    return filter ? step(filter, () => runFrom(index + 1)) : inner();
  };
  return runFrom(0);
}
