// Where an object stands: its tenant, its hub, and its room or relay. Types only, which name nothing of the platform:
// code that runs elsewhere, such as tests of hubs, takes them without its types.

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
