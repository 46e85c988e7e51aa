// The bindings that every worker of hubs needs, and the class of `serve(…)` that each is for.

export const OBJECTS = [
  { binding: "ROOMS", made: "Room" },
  { binding: "RELAYS", made: "Relay" },
  { binding: "ACCOUNTS", made: "Account" },
] as const;

export type BoundObject = (typeof OBJECTS)[number];

export type ObjectBinding = BoundObject["binding"];
