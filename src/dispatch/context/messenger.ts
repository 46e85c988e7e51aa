// The port through which hub code sends messages to rooms and clients.

import type { ClientCall } from "../../model/audiences.ts";
import type { Topic } from "../../model/topic.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** Sends hub code's messages to rooms and clients. */
export interface Messenger {
  /**
   * Publishes in a room, except to the connections in `except`. Resolves when the message is queued, in order; a failed
   * save fails the call that has published, and not this promise. Rejects with `too_large` or `invalid_request`.
   */
  publish(topic: Topic, call: ClientCall): Promise<void>;
  /** Invokes a client method that has no result. Does nothing if the connection is gone. */
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  /**
   * Invokes a client method and resolves with its validated result. Rejects with `connection_not_found`, `timed_out`,
   * `interrupted`, `client_error`, or `invalid_arguments` for an invalid result.
   */
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
  /** Whether the hub declares a result for this client method. */
  answers(target: string): boolean;
}

/** Publications that failed, for which a call waits: `Publications`, or a set. */
export interface Failures {
  add(failure: Promise<unknown>): unknown;
}

/**
 * The error of a message that cannot be sent. Hub code need not wait for its messages: their call fails as well, also
 * where it has caught the error.
 */
export function unsent(failures: Failures, error: unknown): unknown {
  const failure = Promise.reject(error);
  failure.catch(() => {});
  failures.add(failure);
  return error;
}

export interface MessengerOptions {
  readonly host: Pick<Host, "clients" | "publishing" | "env">;
  readonly served: ServedHub;
  /**
   * The connection whose call publishes: the call completes after the caller's own copies of its publications. Absent
   * in rooms' hooks.
   */
  readonly caller?: Connection;
  /** Trace of the publications, if there is no caller with one. */
  readonly trace?: string | undefined;
  /**
   * The prefix of publication ids, the same for repetitions of a call: rooms drop a repeated id. Absent: publications
   * have no ids.
   */
  readonly idPrefix?: string | undefined;
  /** Called before hub code waits for a client's result: other calls of the connection may run meanwhile. */
  readonly asking?: (() => void) | undefined;
}
