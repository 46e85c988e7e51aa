// The stages of a connection, and every way from one to another.
//
//   handshaking → greeting → open ⇄ away → ended        (each may end at once)

import type { Encoded } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import type { ConnectionBytes } from "./held-bytes.ts";

export type Frame = string | ArrayBuffer;

export type Stage =
  /** SignalR before its handshake: nothing is sent, and the next frame is the handshake. Survives sleep. */
  | { readonly name: "handshaking" }
  /** Accepted, and joining its first rooms. Frames in both directions wait. */
  | Greeting
  /** Frames pass in both directions. Survives sleep. */
  | { readonly name: "open" }
  /** Open without a socket: its client may return, and frames to it are kept. */
  | { readonly name: "away" }
  | Ended;

interface Greeting {
  readonly name: "greeting";
  /** The handshake's answer, which is written first. It is no message, and has no number. */
  readonly answer?: Encoded;
  /** Frames to the client. */
  readonly held: Encoded[];
  /** Frames that the client sent before the connection was open. */
  readonly early: Frame[];
  /** Bytes of these frames, as counted in the connection's budget. */
  earlyBytes: number;
  heldBytes: number;
}

interface Ended {
  readonly name: "ended";
  /** Closed on purpose: its client is not expected back. */
  readonly isForGood: boolean;
  /** The hub's `connected` had begun. */
  readonly wasOpen: boolean;
}

/** The part of a connection that a stage depends on. */
interface HasStage {
  stage: Stage;
  readonly socket: WebSocket | undefined;
}

/** A connection with a budget for waiting frames. */
interface HasBudget extends HasStage {
  readonly held: Pick<ConnectionBytes, "fits" | "buffer" | "fitsFrames" | "addFrames">;
}

export function beginGreeting(connection: HasStage, answer?: Encoded): void {
  connection.stage = {
    ...{ name: "greeting", held: [], early: [], earlyBytes: 0, heldBytes: 0 },
    ...(answer !== undefined && { answer }),
  };
}

/** The number of messages of the largest size that may wait together, such as in the body of one POST. */
const EARLY_MESSAGES = 32;

/** Keeps a frame of the client until the connection is open. False if more wait than may. */
export function delay(connection: HasBudget, frame: Frame, limits: Limits): boolean {
  const { stage } = connection;
  if (stage.name !== "greeting") return true;
  stage.early.push(frame);
  const bytes = sizeOf(frame);
  const most = Math.max(limits.queuedBytes, limits.messageBytes * EARLY_MESSAGES);
  const isTooMuch = stage.early.length > limits.queuedCalls || stage.earlyBytes + bytes > most;
  if (isTooMuch || !connection.held.fits(bytes)) return false;
  connection.held.buffer(bytes);
  stage.earlyBytes += bytes;
  return true;
}

/** Keeps frames to the client until the connection is open. False if there is no room for them. */
export function hold({ held, stage }: HasBudget, frames: readonly Encoded[]): boolean {
  if (stage.name !== "greeting") return true;
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  stage.held.push(...frames);
  stage.heldBytes += bytes;
  held.addFrames(bytes);
  return held.fitsFrames(0);
}

/** The handshake's answer, if it is not written yet. */
export const unsentHandshake = ({ stage }: Pick<HasStage, "stage">): readonly Encoded[] =>
  stage.name === "greeting" && stage.answer !== undefined ? [stage.answer] : [];

/** Characters, or bytes. */
const sizeOf = (frame: Frame): number =>
  typeof frame === "string" ? frame.length : frame.byteLength;

/** Opens the connection. Returns the frames that waited; undefined if it has ended, or was open. */
export function open(connection: HasStage): Greeting | undefined {
  const { stage } = connection;
  if (stage.name !== "greeting") return undefined;
  connection.stage = connection.socket ? { name: "open" } : { name: "away" };
  return stage;
}

/** Called when the socket is gone, but the connection continues. */
export function markAway(connection: HasStage): void {
  if (connection.stage.name === "open") connection.stage = { name: "away" };
}

/** Called when the client is back on another socket. */
export function markReturned(connection: HasStage): void {
  if (connection.stage.name === "away") connection.stage = { name: "open" };
}

/** May be repeated: the first end stands. */
export function end(connection: HasStage, isForGood: boolean): void {
  if (connection.stage.name === "ended") return;
  connection.stage = { name: "ended", isForGood, wasOpen: isOpen(connection) };
}

/** Whether the hub's `connected` has begun, and the connection has not ended. */
export const isOpen = ({ stage }: Pick<HasStage, "stage">): boolean =>
  stage.name === "open" || stage.name === "away";

/** Whether it has ended, and the hub's `connected` had begun. */
export const wasOpen = ({ stage }: Pick<HasStage, "stage">): boolean =>
  stage.name === "ended" && stage.wasOpen;
