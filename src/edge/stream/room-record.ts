// One JSON-RPC record as objects send it to sockets of the worker, and the position in its room's log after it.

import { STATE_TARGET, type StateChange } from "../../model/state-wire.ts";
import { parseOwnJson } from "../../protocols/exact-json.ts";

/** A message, an answer or a request. Answers have no method. */
export interface RoomRecord {
  readonly id?: string | number | null;
  readonly method?: string;
  /** Whole numbers that a JavaScript number cannot hold are bigints. */
  readonly params?: unknown;
  /** As a topic. Absent: the record is of the connection, not of a room. */
  readonly room?: string;
  /** `epoch:offset` in the log of `room`. Absent: the record is not in the log. */
  readonly position?: string;
}

/** The part of `$/connected`, the first record of every socket, that says how far the connection is complete. */
export interface ConnectedParams {
  /** The room's position when the connection began. */
  readonly position: string;
  /** Whether everything after the client's own position is replayed. */
  readonly recovered: boolean;
  /** The number of messages in the replay, which follows. */
  readonly replayed: number;
  /** The room's state, in place of the client's copy. Absent where the replay has the changes, or clients see none. */
  readonly state?: unknown;
}

/** Every connection begins with this record, alone in its frame; the replay follows in frames of its own. */
export const isConnected = ({ method }: RoomRecord): boolean => method === "$/connected";

/** The room lost its log, or began a new one. */
export const isReset = ({ method }: RoomRecord): boolean => method === "$/reset";

/** The change of a room's state; undefined for other records. */
export const stateChangeIn = ({ method, params }: RoomRecord): StateChange | undefined =>
  method === STATE_TARGET ? (params as StateChange) : undefined;

/** Whether the record is a request, to which the object waits for an answer. */
export const isRequest = ({ id, method }: RoomRecord): boolean =>
  method !== undefined && id !== undefined;

/** The records of one frame, in their order: an array, or one record alone. */
export function recordsIn(text: string): readonly RoomRecord[] {
  const value = parseOwnJson(text) as RoomRecord | RoomRecord[];
  return Array.isArray(value) ? value : [value];
}

/**
 * The client's position in `room` after this record; undefined where the record does not change it. Records of other
 * rooms that the connection follows have positions in those rooms only. After a reset the position stays, so that a
 * client that reconnects with it receives the reset again, in case it missed it.
 */
export function positionAfter(
  room: string,
  record: RoomRecord,
  before: string | undefined,
): string | undefined {
  if (isConnected(record)) return positionAtStart(record.params as ConnectedParams, before);
  return isReset(record) || isOfAnotherRoom(room, record) ? undefined : record.position;
}

/**
 * While a replay is under way the client keeps its position: the connection may break before the replay is complete.
 */
const positionAtStart = (connected: ConnectedParams, before: string | undefined): string =>
  before !== undefined && connected.recovered && connected.replayed > 0
    ? before
    : connected.position;

/** Of the user's own room, or of all the hub's: every connection follows both. */
export const isOfAnotherRoom = (room: string, record: RoomRecord): boolean =>
  record.room !== undefined && record.room !== room;
