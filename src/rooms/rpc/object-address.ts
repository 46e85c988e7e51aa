// The address of an object: its tenant, its hub, and its room or relay. Types only, and without types of the platform,
// so that code which runs elsewhere, such as tests of hubs, can use them.

import type { Topic } from "../../model/topic.ts";

/** A hub of a tenant. Rooms and relays reach each other within one domain only. */
export interface Domain {
  readonly tenant: string;
  readonly hub: string;
}

export interface RoomAddress extends Domain {
  readonly topic: Topic;
}

/** A relay, by its name among those of its hub (relay-levels.ts). */
export interface RelayAddress extends Domain {
  readonly relay: string;
}

/** An object that holds connections. */
export type ObjectAddress = RoomAddress | RelayAddress;
