// What a room says, as messages of the service.

import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import {
  EventSchema,
  PresenceSchema,
  ResetSchema,
  Standing_Outcome as Outcome,
  StandingSchema,
  type Event,
  type Presence,
  type Reset,
  type Standing,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { placeAfter, type Heard, type Hello } from "../sse/sse-events.ts";

/** What streams and sessions alike may hear. */
export type Word =
  | { readonly case: "event"; readonly value: Event }
  | { readonly case: "presence"; readonly value: Presence }
  | { readonly case: "reset"; readonly value: Reset };

/** Levels of JSON that any decoder reads: a level of objects is three messages, and the usual limit is 100. */
const LEVELS = 30;

function isDeep(value: unknown, levels = LEVELS): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeep(one, levels - 1));
}

/** Messages of a value: what a method gives back may be as deep as hub code likes. */
const DEEPEST = 1_000;

export const valueOf = (json: JsonValue): Value =>
  fromJson(ValueSchema, json, { recursionLimit: DEEPEST });

/** Undefined for words of the protocol that say nothing of a room. */
export function wordOf(through: string, heard: Heard): Word | undefined {
  const { method = "", params, room: topic = through, position = "" } = heard;
  if (method === "$/presence") {
    const said = isDeep(params)
      ? { changeJson: JSON.stringify(params) }
      : { change: params as JsonObject };
    return { case: "presence", value: create(PresenceSchema, { topic, position, ...said }) };
  }
  if (method === "$/reset")
    return { case: "reset", value: create(ResetSchema, { topic, position }) };
  if (method.startsWith("$/")) return undefined;
  const said = isDeep(params)
    ? { argumentsJson: JSON.stringify(params) }
    : { arguments: fromJson(ListValueSchema, params as JsonValue) };
  return {
    case: "event",
    value: create(EventSchema, { topic, target: method, position, ...said }),
  };
}

/** How a room begins, for who stood there. */
export function standingOf(room: string, heard: Heard, stood: string | undefined): Standing {
  const { replayed } = heard.params as Hello;
  return create(StandingSchema, {
    topic: room,
    outcome: outcomeOf(heard.params as Hello, stood),
    position: placeAfter(room, heard, stood) ?? "",
    replayed,
  });
}

export function outcomeOf({ recovered }: Pick<Hello, "recovered">, stood: string | undefined) {
  if (stood === undefined || stood === "") return Outcome.CONNECTED;
  return recovered ? Outcome.RECOVERED : Outcome.RESET;
}
