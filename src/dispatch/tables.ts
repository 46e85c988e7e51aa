// Hubs as the rest of the server looks them up: by Map, names in lower case, defaults filled in.

import { DEFAULTS, LIMITS, type RoomSettings } from "../model/options.ts";
import type { AnyHub } from "./hub.ts";
import type { Table } from "./invocation.ts";

export interface ServedHub extends Table {
  readonly hub: AnyHub;
  readonly settings: RoomSettings;
}

export type Hubs = ReadonlyMap<string, ServedHub>;

/** Throws a TypeError where two hubs have one name. */
export function tablesOf(hubs: readonly AnyHub[]): Hubs {
  const tables = new Map(hubs.map((hub) => [hub.name, servedHub(hub)]));
  if (tables.size < hubs.length) throw new TypeError("Two hubs have the same name.");
  return tables;
}

export const servedHub = (hub: AnyHub): ServedHub => ({
  hub,
  name: hub.name,
  authorize: hub.settings.authorize,
  members: new Map(Object.entries(hub.members)),
  settings: settingsOf(hub),
});

function settingsOf({ settings }: AnyHub): RoomSettings {
  const { history, durability = DEFAULTS.durability, presence = DEFAULTS.presence } = settings;
  return {
    history: history || DEFAULTS.history,
    durability: history === false ? "none" : durability,
    presence,
    online: settings.online ?? DEFAULTS.online,
    reachAll: settings.reach?.all ?? DEFAULTS.reachAll,
    reachUsers: settings.reach?.users ?? DEFAULTS.reachUsers,
    pingSeconds: settings.liveness?.pingSeconds ?? DEFAULTS.pingSeconds,
    silentSeconds: settings.liveness?.silentSeconds ?? DEFAULTS.silentSeconds,
    sweepSeconds: settings.liveness?.sweepSeconds ?? DEFAULTS.sweepSeconds,
    graceSeconds: settings.liveness?.graceSeconds ?? DEFAULTS.graceSeconds,
    limits: { ...LIMITS, ...settings.limits },
  };
}
