// The numbers among a hub's settings. A limit of NaN would be no limit, because no number is greater than NaN.

import {
  DEFAULTS,
  LIMITS,
  STATEFUL_RECONNECT,
  type Limits,
  type RoomSettings,
} from "../../model/options.ts";
import type { AnyHub } from "./hub-definition.ts";

/** The hub's limits, with defaults for those that are absent or undefined. Their names are checked already. */
export const limitsOf = ({ settings: { limits = {} } }: AnyHub): Limits => ({
  ...LIMITS,
  ...Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
});

/** All settings in one object: their names differ. */
const flat = ({ limits, history, signalR, ...settings }: RoomSettings) => ({
  ...{ ...settings, ...limits, ...history, ...signalR, ...signalR.statefulReconnect },
});

const { rememberGroups, ...LIVENESS } = DEFAULTS;

/** The numbers by their names, with their paths in a hub's settings. */
const PATHS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ "": { rememberGroups }, "liveness.": LIVENESS, "limits.": LIMITS },
    ...{ "history.": DEFAULTS.history, "signalR.": DEFAULTS.signalR },
    "signalR.statefulReconnect.": STATEFUL_RECONNECT,
  }).flatMap(([place, defaults]) =>
    Object.entries(defaults)
      .filter(([, usual]) => typeof usual === "number")
      .map(([name]) => [name, place + name] as const),
  ),
);

/** Settings that must not be zero, because alarms would follow each other without a pause. */
const ABOVE_ZERO = /^(?:ping|silent|sweep)Seconds$/;

/**
 * The most that the platform takes, in production if not locally (docs/design/production.md#pl39): a row has 2 MB, in
 * which texts are quoted, and a change of a state is there twice; an object has so many sockets.
 */
const AT_MOST: Readonly<Record<string, number>> = {
  ...{ publishBytes: 900_000, stateBytes: 512 * 1024 },
  ...{ connectionsPerObject: 32_768, connectionsPerRelay: 32_768 },
};

/**
 * Returns the same settings. Throws a `TypeError` for NaN, infinite and negative numbers, for other types, and for
 * numbers that the platform does not take.
 */
export function withNumbers(hub: string, settings: RoomSettings): RoomSettings {
  const all: Record<string, unknown> = { ...STATEFUL_RECONNECT, ...flat(settings) };
  for (const [name, path] of PATHS) {
    const value = all[name] as number;
    const isPositive = ABOVE_ZERO.test(name);
    const most = AT_MOST[name] ?? Infinity;
    if (Number.isFinite(value) && value <= most && (isPositive ? value > 0 : value >= 0)) continue;
    const range = isPositive ? "above 0" : most < Infinity ? `from 0 to ${most}` : "of 0 or more";
    throw new TypeError(
      `Hub "${hub}": ${path} is a number ${range}, and not ${value} (${typeof value}).`,
    );
  }
  return settings;
}
