// Hubs as the rest of the server looks them up: by Map, names in lower case, defaults filled in.

import {
  DEFAULTS,
  LIMITS,
  STATEFUL_RECONNECT,
  type RoomSettings,
  type SignalRSettings,
} from "../../model/options.ts";
import type { Filter, Filtered } from "./filters.ts";
import type { AnyHub, AnyMember } from "./hub-definition.ts";
import { shapes, type ShapeOf } from "./member-names.ts";
import type { Policy } from "./policies.ts";

/** What a call needs to find its method. */
export interface Table {
  readonly name: string;
  readonly authorize: Policy | undefined;
  readonly members: ReadonlyMap<string, AnyMember>;
  /** The members' names by themselves in lower case. */
  readonly names: ReadonlyMap<string, string>;
  /** The members' own names within their arguments. */
  readonly shapeOf: ShapeOf;
}

export interface ServedHub extends Table, Filtered {
  readonly hub: AnyHub;
  readonly settings: RoomSettings;
}

export type Hubs = ReadonlyMap<string, ServedHub>;

/** Throws a TypeError where two hubs have one name, or two methods of one differ in case only. */
export function tablesOf(hubs: readonly AnyHub[], filters: readonly Filter[] = []): Hubs {
  const tables = new Map(hubs.map((hub) => [hub.name, servedHub(hub, filters)]));
  if (tables.size < hubs.length) throw new TypeError("Two hubs have the same name.");
  return tables;
}

export const servedHub = (hub: AnyHub, filters: readonly Filter[] = []): ServedHub => ({
  hub,
  name: hub.name,
  authorize: hub.settings.authorize,
  members: new Map(Object.entries(hub.members)),
  names: namesOf(hub),
  shapeOf: shapes(),
  filters: [...filters, ...hub.filters],
  settings: settingsOf(hub),
});

/** SignalR's clients call `SendToGroup` what hub code calls `sendToGroup`. */
function namesOf({ members }: AnyHub): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const name of Object.keys(members)) {
    const lower = name.toLowerCase();
    if (names.has(lower))
      throw new TypeError(`Duplicate definitions of '${name}'. Overloading is not supported.`);
    names.set(lower, name);
  }
  return names;
}

function settingsOf({ settings }: AnyHub): RoomSettings {
  const { history, durability = DEFAULTS.durability, presence = DEFAULTS.presence } = settings;
  return {
    history: history || DEFAULTS.history,
    durability: history === false ? "none" : durability,
    presence,
    online: settings.online ?? DEFAULTS.online,
    reachAll: settings.reach?.all ?? DEFAULTS.reachAll,
    reachUsers: settings.reach?.users,
    pingSeconds: settings.liveness?.pingSeconds ?? DEFAULTS.pingSeconds,
    silentSeconds: settings.liveness?.silentSeconds ?? DEFAULTS.silentSeconds,
    sweepSeconds: settings.liveness?.sweepSeconds ?? DEFAULTS.sweepSeconds,
    graceSeconds: settings.liveness?.graceSeconds ?? DEFAULTS.graceSeconds,
    detailedErrors: settings.detailedErrors ?? DEFAULTS.detailedErrors,
    signalR: signalROf(settings),
    rememberGroups: settings.rememberGroups ?? DEFAULTS.rememberGroups,
    limits: { ...LIMITS, ...settings.limits },
  };
}

function signalROf({ signalR = {} }: AnyHub["settings"]): SignalRSettings {
  const { verbatim, messagePackKeys, handshakeSeconds, transports } = signalR;
  const { statefulReconnect: stateful } = signalR;
  return {
    verbatim: verbatim ?? DEFAULTS.signalR.verbatim,
    messagePackKeys: messagePackKeys ?? DEFAULTS.signalR.messagePackKeys,
    transports: transports ?? DEFAULTS.signalR.transports,
    handshakeSeconds: handshakeSeconds ?? DEFAULTS.signalR.handshakeSeconds,
    statefulReconnect: stateful
      ? { ...STATEFUL_RECONNECT, ...(stateful === true ? {} : stateful) }
      : undefined,
  };
}
