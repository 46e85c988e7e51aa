// What a room says, as messages of the service.

import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema } from "@bufbuild/protobuf/wkt";
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
import { placeAfter, type Heard, type Hello } from "../events.ts";

/** What streams and sessions alike may hear. */
export type Word =
  | { readonly case: "event"; readonly value: Event }
  | { readonly case: "presence"; readonly value: Presence }
  | { readonly case: "reset"; readonly value: Reset };

/** Undefined for words of the protocol that say nothing of a room. */
export function wordOf(through: string, heard: Heard): Word | undefined {
  const { method = "", params, room: topic = through, position = "" } = heard;
  if (method === "$/presence") {
    const change = params as JsonObject;
    return { case: "presence", value: create(PresenceSchema, { topic, change, position }) };
  }
  if (method === "$/reset")
    return { case: "reset", value: create(ResetSchema, { topic, position }) };
  if (method.startsWith("$/")) return undefined;
  const said = fromJson(ListValueSchema, params as JsonValue);
  const value = create(EventSchema, { topic, target: method, arguments: said, position });
  return { case: "event", value };
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
