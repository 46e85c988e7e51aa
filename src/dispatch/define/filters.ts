// Filters: code around every call of a hub, its beginning and its end, as SignalR's hub filters have it.

import type { HubContext } from "./hub-context.ts";
import type { Awaitable } from "./policies.ts";

/** A call that was found, authorised and validated. */
export interface FilteredCall<C> {
  readonly context: HubContext<C>;
  readonly hub: string;
  /** The method's name in the hub, whatever the caller's spelling. */
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Each part calls `next` once, and may give another result or throw instead. */
// any: filters that know nothing of a hub's clients stand around every hub.
export interface Filter<C = any> {
  /** Around a method or stream; a stream's result is its items. Not run for calls that were refused before. */
  invoke?(call: FilteredCall<C>, next: () => Promise<unknown>): Awaitable<unknown>;
  connected?(context: HubContext<C>, next: () => Promise<void>): Awaitable<void>;
  disconnected?(
    context: HubContext<C>,
    error: Error | undefined,
    next: () => Promise<void>,
  ): Awaitable<void>;
}

/** What has filters around it, the outermost first. */
export interface Filtered {
  readonly filters: readonly Filter[];
}

type Step<T> = (filter: Filter, next: () => Promise<T>) => Awaitable<T>;

/** Runs `inner` inside all filters. */
export function through<T>(
  { filters }: Filtered,
  step: Step<T>,
  inner: () => Awaitable<T>,
): Promise<T> {
  const from = async (index: number): Promise<T> => {
    const filter = filters[index];
    return filter ? step(filter, () => from(index + 1)) : inner();
  };
  return from(0);
}
