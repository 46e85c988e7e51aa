// The scope of a connection, one room or a whole hub: its query parameters, how it resumes, and which frames are
// duplicates.

import type { HubError } from "../../model/errors.ts";
import type { Listener } from "../platform/emitter.ts";
import type { Frame, Greeting } from "../transport/wire.ts";

/** A scope outlives its connections: its positions and joined rooms carry over to the next one. */
export interface Scope {
  /** Query parameters of the next attempt. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /**
   * Called once for each connection, with the server's greeting. Requests that the scope makes here are sent before the
   * calls that waited for the connection.
   */
  greet(greeting: Greeting): void;
  /** The server removed this connection from a room: the scope no longer resumes it. */
  forget(room: string): void;
  /** Records the position of a frame and returns true, or returns false for a frame received before. */
  accept(frame: Frame): boolean;
}

/** The functions that a scope needs of its connection. */
export interface ScopeHost {
  /** Calls a protocol method (`$/…`). Rejects with the server's error, when the connection is lost, or by `signal`. */
  readonly call: (method: string, params: object, signal?: AbortSignal) => Promise<unknown>;
  /** Whether the connection of the last greeting is still open. Becomes false before its calls are rejected. */
  readonly isConnected: () => boolean;
  /**
   * Calls `run` after a pause of the backoff, if the error is temporary, unless the connection is lost before. Replaces
   * an earlier `run`.
   */
  readonly retry: (run: () => void, error: HubError) => void;
  readonly onRecovered: Listener<Recovered>;
  readonly onReload: Listener<{ readonly room: string }>;
  readonly onLeft: Listener<Left>;
  readonly onError: Listener<HubError>;
}

/** The room does not admit this client any more: no more messages of it arrive, and it is not resumed. */
export interface Left {
  readonly room: string;
  /** The code of the refusal, such as `forbidden`. */
  readonly reason: string;
}

/** No message of this room was missed. The `replayed` messages follow, or have just arrived. */
export interface Recovered {
  readonly room: string;
  readonly replayed: number;
}
