// Loads of clients that do nothing: counted in the engine (loads.ts), and priced by the bench (bench/costs.ts).

export interface IdleLoad {
  readonly who: string;
  /** Few clients, and many: from both follows what is fixed, and what each client adds. */
  readonly crowds: readonly [few: number, many: number];
  readonly hours: number;
}

/** A room with a single client rests. */
export const IN_ONE_ROOM: IdleLoad = { who: "clients in one room", crowds: [2, 4], hours: 1 };
/** These rest: a report each six hours is much of what they cost. */
export const IN_ROOMS: IdleLoad = { who: "clients in a room each", crowds: [1, 3], hours: 6 };
/** In no group: their relay rests as well. */
export const BY_SIGNALR: IdleLoad = { who: "SignalR clients", crowds: [1, 3], hours: 1 };
export const IN_GROUPS: IdleLoad = {
  ...{ who: "SignalR clients in a group each", crowds: [1, 3], hours: 1 },
};

/** The name of an operation in expected.ts. */
export const titleOf = ({ who, hours }: IdleLoad, clients: number): string =>
  `${hours === 1 ? "an idle hour" : `${hours} idle hours`} of ${clients} ${who}`;
