// Declared hubs in the form in which the server uses them: lookup tables for names, and settings with defaults applied.
// Built once per isolate.

import {
  DEFAULTS,
  STATEFUL_RECONNECT,
  type RoomSettings,
  type SignalRSettings,
} from "../../model/options.ts";
import { withDefaults } from "../../model/with-defaults.ts";
import { checkSchemas } from "./check-members.ts";
import { checkSettings } from "./check-settings.ts";
import type { Filter, FilterOwner } from "./filters.ts";
import { groupPrefixesOf, type GroupPrefixes } from "./group-names.ts";
import type { AnyHub, AnyMember } from "./hub-definition.ts";
import type { CheckedHub } from "./outgoing-check.ts";
import { shapes, type ShapeOf } from "./member-names.ts";
import type { Policy } from "./policies.ts";
import { limitsOf, withNumbers } from "./setting-numbers.ts";
import { namesIn, stateTable, type StateTable } from "./state-tables.ts";

/** The lookup table of one hub's members. Maps, because names come from clients: `in` would find inherited names. */
export interface Table {
  readonly name: string;
  /** The hub's own policy, which applies before that of a member. */
  readonly authorize: Policy | undefined;
  readonly members: ReadonlyMap<string, AnyMember>;
  /** The name of each member, by the same name in lower case: SignalR ignores case. */
  readonly names: ReadonlyMap<string, string>;
  /** Shapes of the schemas, for names of members in arguments without regard to case. */
  readonly shapeOf: ShapeOf;
}

/** A hub with everything that objects and endpoint need to serve it. */
export interface ServedHub extends Table, FilterOwner, CheckedHub {
  readonly settings: RoomSettings;
  readonly groupPrefixes: GroupPrefixes;
  /** Actions and the state of rooms; undefined if the hub has none. */
  readonly state: StateTable | undefined;
}

/** Served hubs by name. */
export type Hubs = ReadonlyMap<string, ServedHub>;

/**
 * Tables of all hubs; `filters` run around the hubs' own. Throws a `TypeError` if two hubs have the same name, or two
 * members of a hub differ in case only.
 */
export function tablesOf(hubs: readonly AnyHub[], filters: readonly Filter[] = []): Hubs {
  const tables = new Map(hubs.map((hub) => [hub?.name, servedHub(hub, filters)]));
  const twice = hubs.find((hub, index) => hubs.findIndex(({ name }) => name === hub.name) < index);
  if (twice) throw new TypeError(`Two hubs have the same name: "${twice.name}".`);
  return tables;
}

/** The tables of one hub. Throws a `TypeError` if it is none, and if two members differ in case only. */
export function servedHub(hub: AnyHub, around: readonly Filter[] = []): ServedHub {
  if (!Object(hub).members)
    throw new TypeError(
      `This is not a hub, but ${typeof hub}: end with .methods({ … }), and import no module in a circle.`,
    );
  checkSettings(hub);
  checkSchemas(hub);
  const filters = [...around, ...hub.filters];
  if (!filters.every(isFilter))
    throw new TypeError(
      `Hub "${hub.name}": a filter is an object, such as { invoke(call, next) { … } }.`,
    );
  return {
    hub,
    name: hub.name,
    authorize: hub.settings.authorize,
    members: new Map(Object.entries(hub.members)),
    names: namesOf(hub),
    shapeOf: shapes(),
    filters,
    settings: settingsOf(hub, filters),
    groupPrefixes: groupPrefixesOf(hub),
    state: stateTable(hub),
  };
}

/** Also a function that has such a member: a class with static ones, not one whose instances have them. */
const isFilter = (filter: Filter): boolean =>
  typeof filter === "function"
    ? ["invoke", "connected", "disconnected"].some((hook) => hook in filter)
    : Object(filter) === filter;

/** SignalR's clients call `SendToGroup` for the member `sendToGroup`. The text of the error is ASP.NET Core's. */
function namesOf(hub: AnyHub): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const name of namesIn(hub)) {
    const lower = name.toLowerCase();
    if (names.has(lower))
      throw new TypeError(
        `Hub "${hub.name}": Duplicate definitions of '${name}'. Overloading is not supported.`,
      );
    names.set(lower, name);
  }
  return names;
}

/** The hub's settings with the defaults of model/options.ts for all that is absent. */
function settingsOf(hub: AnyHub, filters: readonly Filter[]): RoomSettings {
  const { settings, stateful } = hub;
  const { history, presence, online, reach, detailedErrors, cookies, rememberGroups } = settings;
  const durability = history === false ? ("none" as const) : settings.durability;
  const plain = { durability, presence, online, detailedErrors, cookies, rememberGroups };
  return withNumbers(hub.name, {
    ...withDefaults(DEFAULTS, { ...plain, reachAll: reach?.all, ...settings.liveness }),
    history: history || DEFAULTS.history,
    stateKind: stateful?.kind,
    reachUsers: reach?.users,
    hasEndHooks: hasEndHooks(settings, filters),
    signalR: signalROf(settings),
    limits: limitsOf(hub),
  });
}

const hasEndHooks = (
  { disconnected, joined, left, presenceChanged }: AnyHub["settings"],
  filters: readonly Filter[],
): boolean =>
  [disconnected, joined, left, presenceChanged].some((hook) => hook !== undefined) ||
  filters.some((filter) => filter.disconnected !== undefined);

/** `statefulReconnect: true` stands for its defaults; a partial object overrides some of them. */
function signalROf({ signalR = {} }: AnyHub["settings"]): SignalRSettings {
  const { state, statefulReconnect: stateful, ...plain } = signalR;
  return {
    ...withDefaults(DEFAULTS.signalR, plain),
    state: withDefaults(DEFAULTS.signalR.state, state),
    statefulReconnect: stateful
      ? withDefaults(STATEFUL_RECONNECT, stateful === true ? {} : stateful)
      : undefined,
  };
}
