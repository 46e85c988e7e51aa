// What carries hub code's messages to rooms and clients, and what a call remembers of them.

import type { ClientCall } from "../../model/audiences.ts";
import type { Topic } from "../../model/topic.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Ticket } from "../../rooms/delivery/fan-out.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** Carries hub code's messages to rooms and clients. */
export interface Messenger {
  /**
   * Publishes in a room, without the connections in `except`. Resolves once the message is on its way, in order; errors
   * of saving are reported to the call that published, not here. Rejects with `too_large` or `invalid_request`.
   */
  publish(topic: Topic, call: ClientCall): Promise<void>;
  /** Invokes a client method that has no result. Does nothing if the connection is gone. */
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  /**
   * Invokes a client method and gives its result, validated. Rejects with `connection_not_found`, `timed_out`,
   * `interrupted`, `client_error`, or `invalid_arguments` for an invalid result.
   */
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
  /** Whether the hub declares a result for this client method. */
  answers(target: string): boolean;
}

/** The publications of one call so far. The call completes once all of them are saved. */
export interface Publications {
  /** In this object's room: after the next flush, each has its error or null. */
  readonly tickets: Ticket[];
  /** In rooms of other objects: each resolves once its message is durable there, and on its way to the caller. */
  readonly elsewhere: Promise<unknown>[];
}

/**
 * The error of a message that cannot be sent. Hub code need not wait for its messages: their call fails as well, also
 * where it has caught the error.
 */
export function unsent(elsewhere: Promise<unknown>[], error: unknown): unknown {
  const failure = Promise.reject(error);
  failure.catch(() => {});
  elsewhere.push(failure);
  return error;
}

export interface MessengerOptions {
  readonly host: Pick<Host, "clients" | "publishing" | "env">;
  readonly served: ServedHub;
  /**
   * The connection whose call publishes: its call completes after what it is to receive of that. Absent in rooms'
   * hooks.
   */
  readonly caller?: Connection;
  /** Trace of what is published, where no caller has it. */
  readonly trace?: string | undefined;
  /**
   * The prefix of publication ids, the same for repetitions of a call: rooms drop a repeated id. Absent: publications
   * have no ids.
   */
  readonly idPrefix?: string | undefined;
  /** Called before hub code waits for a client's result: other calls of the connection may run meanwhile. */
  asking?(): void;
}
