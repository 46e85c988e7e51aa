// The API in which users declare hubs: `hub(name, settings)`, then its filters, states and members.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { RoomKind } from "../../model/topic.ts";
import { checkMembers } from "./check-members.ts";
import { answersOf, type ClientMethods } from "./client-methods.ts";
import type { Filter } from "./filters.ts";
import type { Hub, HubMember } from "./hub-members.ts";
import type { ClientResultNames, HubOptions, HubSettings } from "./hub-settings.ts";
import type { OneResult } from "./one-result.ts";
import { roomBuilder, type RoomBuilder } from "./room-builder.ts";
import type { StateOptions } from "./state-options.ts";
import type { Storable } from "./storable.ts";

export * from "./hub-members.ts";

const HUB_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** A hub whose methods are still to be declared. */
export interface HubBuilder<C, S = unknown> {
  /** Adds a filter around every call. The first one added is the outermost, inside of the filters of `serve`. */
  use(filter: Filter<C>): HubBuilder<C, S>;
  /**
   * Declares the states that clients may show in a room's presence (`track`): another one is refused with
   * `invalid_arguments`, and clients have its type. States that hub code sets are not validated.
   */
  presenceState<T>(schema: StandardSchemaV1<any, T>): HubBuilder<C, T>;
  /** Gives one kind of the hub's rooms a state. Two stateful kinds are two hubs. */
  state<const K extends RoomKind, I, T, V = T>(
    kind: K,
    options: StateOptions<I, T, V> & Settled<I, T> & Storable<T> & Storable<V>,
  ): RoomBuilder<{ client: C & object; kind: K; state: T; view: V; internal: {} }, {}, S>;
  /** Declares the methods and streams that clients may call, by name. */
  methods<const M extends Record<string, HubMember<C>>>(
    members: M & OneResult<M>,
  ): Hub<C, M, S, never, {}>;
}

/** A schema must accept its own output, because states are validated again and again. */
type Settled<I, T> = [T] extends [I]
  ? unknown
  : { readonly schema: { readonly problem: "what this schema gives is not what it takes" } };

/**
 * Declares a hub with its settings; `.methods({ … })` completes it. The name is part of the hub's URL. Throws a
 * `TypeError` for a name that is not 1–64 characters of a–z, 0–9, _ and -, beginning with a letter.
 */
export function hub<C>(name: string, settings: WithClientMethods<C>): HubBuilder<C>;
export function hub<C = {}>(
  name: string,
  ...[settings]: [ClientResultNames<C>] extends [never] ? [HubSettings<C>?] : [HubSettings<C>]
): HubBuilder<C>;
export function hub<C>(name: string, settings?: HubSettings<C>): HubBuilder<C> {
  if (!HUB_NAME.test(name))
    throw new TypeError(`Hub "${name}": a name is lower case, a–z, 0–9, _ and -, 64 at most.`);
  return builder({ name, settings: settings ? withAnswers(settings) : {}, filters: [] } as Parts<
    C,
    unknown
  >);
}

/** Settings from which the interface of the clients is inferred. */
type WithClientMethods<C> = HubOptions<C> & {
  readonly client: ClientMethods<C>;
};

/** Results of declared client methods are validated like those in `answers`. */
const withAnswers = <C>(settings: HubSettings<C>): HubSettings<C> =>
  settings.client
    ? { ...settings, answers: { ...answersOf(settings.client), ...settings.answers } as never }
    : settings;

type Parts<C, S> = Omit<Hub<C, never, S, never, {}>, "members" | "stateful">;

const builder = <C, S>(parts: Parts<C, S>): HubBuilder<C, S> => ({
  use: (filter) => builder({ ...parts, filters: [...parts.filters, filter] }),
  presenceState: <T>(schema: StandardSchemaV1<any, T>) =>
    builder<C, T>({ ...parts, presenceState: schema }),
  state: (kind, options) =>
    roomBuilder({
      ...(parts as unknown as Hub<any, {}, any>),
      stateful: { kind, options, internal: {}, actions: {} },
    }) as never,
  methods(members) {
    checkMembers(parts.name, "method", members);
    return { ...parts, members };
  },
});
