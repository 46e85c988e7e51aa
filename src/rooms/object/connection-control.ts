// One connection's life in this object, as the dispatcher directs it.

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
    // To close twice does no harm.
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
    // An answer is kept before its call is forgotten, or a crash between them leaves it unanswered.
    if (connection.resumable) this.#parts.outbox.flush();
    try {
      save(connection, { openCalls });
    } catch {
      // The token's claims leave no room: after a loss of memory these calls end by their time limits.
      save(connection, { openCalls: [] });
    }
  }
}
