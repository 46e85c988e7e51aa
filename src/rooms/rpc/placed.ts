// The arguments of `PlaceOptions`, from an object's name.

import { formatTopic } from "../../model/topic.ts";
import { parseObjectName, tenantOf } from "./object-names.ts";

/** The object that is placed: a room; without `room` a relay of the hub; without `hub` accounts of the tenant. */
export interface Placed {
  readonly tenant: string;
  readonly hub?: string;
  /** As a topic: `group:lobby`, `all`. */
  readonly room?: string;
}

/** Names of accounts have two parts, those of rooms and relays more. */
export function addressOf(name: string): Placed {
  if (name.split("/").length < 3) return { tenant: tenantOf(name) };
  const address = parseObjectName(name);
  const { tenant, hub } = address;
  return { tenant, hub, ...("topic" in address && { room: formatTopic(address.topic) }) };
}
