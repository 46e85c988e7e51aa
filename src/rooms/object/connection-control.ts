// The port by which the dispatcher closes connections of this object, and stores their items and open calls.

import type { CloseCode } from "../../model/errors.ts";
import type { Incoming } from "../../model/message.ts";
import type { Attached } from "../connection/attachment.ts";
import { type Connection, save } from "../connection/connection.ts";
import { MOST_MS } from "../links/undelivered-publications.ts";
import { settledWithin } from "../platform/loop-timing.ts";
import type { ConnectionControl } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";

type ControlParts = Pick<
  ObjectParts,
  "connections" | "followed" | "outbox" | "resumables" | "serverPings"
>;

export class ObjectConnections implements ConnectionControl {
  readonly #parts: ControlParts;
  readonly #waitUntil: (work: Promise<unknown>) => void;

  constructor(parts: ControlParts, waitUntil: (work: Promise<unknown>) => void) {
    this.#parts = parts;
    this.#waitUntil = waitUntil;
  }

  close(connection: Connection, why: CloseCode, detail?: string): void {
    this.#parts.outbox.flush();
    this.#parts.connections.close(connection, why, detail);
  }

  end(connection: Connection, why: CloseCode, detail?: string): void {
    const { undelivered } = this.#parts.followed;
    const close = () => this.close(connection, why, detail);
    const closed = undelivered.inOrder({ caller: connection, recipient: connection }, close);
    // A second close has no effect.
    if (closed) this.#waitUntil(settledWithin(MOST_MS, [closed]).then(close));
  }

  dismiss(connection: Connection, why: CloseCode, detail?: string): void {
    const drained = scheduler.wait(0);
    this.#waitUntil(drained.then(() => this.end(connection, why, detail)));
  }

  pong(connection: Connection): void {
    this.#parts.serverPings?.take(connection);
  }

  takeResumed(connection: Connection, message: Incoming): boolean {
    return this.#parts.resumables?.take(connection, message) ?? true;
  }

  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void {
    save(connection, change);
  }

  remember(connection: Connection, openCalls: readonly string[]): void {
    // The answer is saved before its call is removed: a crash between them must not leave the call unanswered.
    if (connection.resumable) this.#parts.outbox.flush();
    try {
      save(connection, { openCalls });
    } catch {
      // The attachment is full of the token's claims: after a loss of memory these calls end by their time limits.
      save(connection, { openCalls: [] });
    }
  }
}
