// Limits of rooms with state, which are part of a hub's limits (options.ts).

export interface StateLimits {
  /** Bytes of a room's state as JSON: a row has 2 MB, and the whole state is sent to each client that joins. */
  readonly stateBytes: number;
  /** Actions that one room may have scheduled: each is an alarm. */
  readonly schedulesPerRoom: number;
  /** Messages of a room's actions that wait to be delivered to other rooms … */
  readonly outgoingMessages: number;
  /** … and their bytes, about. They are in memory while they are sent. */
  readonly outgoingBytes: number;
}

export const STATE_LIMITS: StateLimits = {
  stateBytes: 256 * 1024,
  schedulesPerRoom: 100,
  outgoingMessages: 1_000,
  outgoingBytes: 4 * 1024 * 1024,
};
