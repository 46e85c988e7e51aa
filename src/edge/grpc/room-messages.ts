// Converts records of a room to messages of the service: events, presence, resets, and the standing at the start.

import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import {
  EventSchema,
  PresenceSchema,
  ResetSchema,
  Standing_Outcome as Outcome,
  StandingSchema,
  StateSchema,
  type Event,
  type Presence,
  type Reset,
  type Standing,
  type State,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { RunAnswer, StateChange } from "../../model/state-wire.ts";
import { toResultJson } from "../../protocols/json.ts";
import { stateChangeIn, type ConnectedParams, type RoomRecord } from "../stream/room-record.ts";

/** A message that both streams and sessions may receive: the case of a `oneof`. */
type RoomMessage =
  | { readonly case: "event"; readonly value: Event }
  | { readonly case: "presence"; readonly value: Presence }
  | { readonly case: "reset"; readonly value: Reset }
  | { readonly case: "state"; readonly value: State };

/**
 * The most levels of JSON that every decoder can read as `Value`: a level of objects is three nested messages, and most
 * libraries stop at 100. Deeper values are sent as JSON text, in a field of their own.
 */
const LEVELS = 30;

/**
 * Whether a `Value` cannot represent the value: it is deeper than `LEVELS`, or has a whole number that a double cannot
 * hold, or half a surrogate pair, even in a key: strings of protobuf are UTF-8.
 */
function isBeyondValue(value: unknown, levels = LEVELS): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return typeof value === "bigint";
  return levels === 0 || partsOf(value).some((one) => isBeyondValue(one, levels - 1));
}

const partsOf = (value: object): unknown[] =>
  Array.isArray(value) ? value : Object.entries(value).flat();

/** The most nested messages of a result, whose depth is up to hub code. */
const DEEPEST = 1_000;

export const valueOf = (json: JsonValue): Value =>
  fromJson(ValueSchema, json, { recursionLimit: DEEPEST });

/** The response to a run of an action. */
export const ranResponse = ({ result, position, repeated }: RunAnswer) => ({
  ...{ result: valueOf(result as JsonValue), position, repeated },
});

/**
 * The message for a record, received through the socket of the room `through`; undefined for records of the protocol
 * that are not about a room.
 */
export function messageOf(through: string, record: RoomRecord): RoomMessage | undefined {
  const { method = "", params, room: topic = through, position = "" } = record;
  if (method === "$/presence") {
    const change = isBeyondValue(params)
      ? { changeJson: toResultJson(params) }
      : { change: params as JsonObject };
    return { case: "presence", value: create(PresenceSchema, { topic, position, ...change }) };
  }
  if (method === "$/reset")
    return { case: "reset", value: create(ResetSchema, { topic, position }) };
  const change = stateChangeIn(record);
  if (change)
    return {
      case: "state",
      value: create(StateSchema, { topic, position, change: jsonOf(change) }),
    };
  if (method.startsWith("$/")) return undefined;
  const args = isBeyondValue(params)
    ? { argumentsJson: toResultJson(params) }
    : { arguments: fromJson(ListValueSchema, params as JsonValue) };
  return {
    case: "event",
    value: create(EventSchema, { topic, target: method, position, ...args }),
  };
}

/** Patches and states are sent as JSON text: most clients keep their copy in JSON. */
const jsonOf = ({ patch, state }: StateChange) =>
  patch === undefined
    ? ({ case: "stateJson", value: toResultJson(state) } as const)
    : ({ case: "patchJson", value: toResultJson(patch) } as const);

/** The start of a room in a stream, from a record `$/connected`. */
interface RoomStart {
  readonly room: string;
  readonly record: RoomRecord;
  /** The caller's position before and after the record. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The message with which a room begins in a stream. Positions are text, as everywhere; empty if there is none. */
export function standingOf({ room: topic, record, before, after }: RoomStart): Standing {
  const connected = record.params as ConnectedParams;
  const { replayed, state } = connected;
  const outcome = outcomeOf(connected, before);
  const stateJson = state === undefined ? "" : toResultJson(state);
  return create(StandingSchema, { topic, outcome, position: after ?? "", replayed, stateJson });
}

/** Without a position there was nothing to recover. */
export function outcomeOf(
  { recovered }: Pick<ConnectedParams, "recovered">,
  before: string | undefined,
): Outcome {
  if (before === undefined || before === "") return Outcome.CONNECTED;
  return recovered ? Outcome.RECOVERED : Outcome.RESET;
}
