// The bindings that every worker with hubs needs, and the class of `serve(…)` for each.

export const OBJECTS = [
  { binding: "ROOMS", made: "Room" },
  { binding: "RELAYS", made: "Relay" },
  { binding: "ACCOUNTS", made: "Account" },
] as const;

export type BoundObject = (typeof OBJECTS)[number];

export type ObjectBinding = BoundObject["binding"];
