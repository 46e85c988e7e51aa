// One JSON-RPC record as objects send it to sockets of the worker, and the client's position after the record.

import { STATE_TARGET, type StateChange } from "../../model/state-wire.ts";
import { parseOwnJson } from "../../protocols/exact-json.ts";

/** A notification, an answer or a request. Answers have no method. */
export interface RoomRecord {
  readonly id?: string | number | null;
  readonly method?: string;
  /** Whole numbers that a JavaScript number cannot hold are bigints. */
  readonly params?: unknown;
  /** As a topic. Absent: the record belongs to the connection, not to a room. */
  readonly room?: string;
  /** `epoch:offset` in the log of `room`. Absent: the record is not in the log. */
  readonly position?: string;
}

/** The part of `$/connected`, the first record of every socket, that reports whether messages were missed. */
export interface ConnectedParams {
  /** The room's position when the connection began. */
  readonly position: string;
  /** Whether everything after the client's own position is replayed. */
  readonly recovered: boolean;
  /** The number of messages in the replay, which follows. */
  readonly replayed: number;
  /** The room's state, which replaces the client's copy. Absent if the replay has the changes, or clients see none. */
  readonly state?: unknown;
}

/** Whether this is the first record of a connection: it is alone in its frame, and the replay follows in others. */
export const isConnected = ({ method }: RoomRecord): boolean => method === "$/connected";

/** Whether the record reports that the room lost its log, or began a new one. */
export const isReset = ({ method }: RoomRecord): boolean => method === "$/reset";

/** The state change in a record; undefined for other records. */
export const stateChangeIn = ({ method, params }: RoomRecord): StateChange | undefined =>
  method === STATE_TARGET ? (params as StateChange) : undefined;

/** Whether the record is a request, whose answer the object waits for. */
export const isRequest = ({ id, method }: RoomRecord): boolean =>
  method !== undefined && id !== undefined;

/** The records of one frame, in their order: an array, or one record alone. */
export function recordsIn(text: string): readonly RoomRecord[] {
  const value = parseOwnJson(text) as RoomRecord | RoomRecord[];
  return Array.isArray(value) ? value : [value];
}

/**
 * The client's position in `room` after this record; undefined if the record does not change it. Records of other rooms
 * that the connection follows have positions in those rooms only. A reset does not change the position, so that a
 * client that missed the reset receives it again when it reconnects.
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
 * If a replay follows, the client keeps its position for now: the connection may break before the replay is complete.
 */
const positionAtStart = (connected: ConnectedParams, before: string | undefined): string =>
  before !== undefined && connected.recovered && connected.replayed > 0
    ? before
    : connected.position;

/** Whether the record comes from the user's own room or the hub's room `all`, which every connection follows. */
export const isOfAnotherRoom = (room: string, record: RoomRecord): boolean =>
  record.room !== undefined && record.room !== room;
