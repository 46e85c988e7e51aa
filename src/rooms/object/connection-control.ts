// One connection's life in this object, as the dispatcher directs it.

import type { CloseCode } from "../../model/errors.ts";
import type { Incoming } from "../../model/message.ts";
import type { Attached } from "../connection/attachment.ts";
import { type Connection, save } from "../connection/connection.ts";
import type { ConnectionControl } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";

export class ObjectConnections implements ConnectionControl {
  readonly #parts: Pick<ObjectParts, "connections" | "outbox" | "resumables" | "serverPings">;
  readonly #waitUntil: (work: Promise<unknown>) => void;

  constructor(
    parts: Pick<ObjectParts, "connections" | "outbox" | "resumables" | "serverPings">,
    waitUntil: (work: Promise<unknown>) => void,
  ) {
    this.#parts = parts;
    this.#waitUntil = waitUntil;
  }

  close(connection: Connection, why: CloseCode, detail?: string): void {
    this.#parts.connections.close(connection, why, detail);
  }

  dismiss(connection: Connection, why: CloseCode, detail?: string): void {
    const close = async () => {
      // Once the loop has drained, everything that the client is to receive has been queued.
      await scheduler.wait(0);
      await this.#parts.outbox.flushed();
      this.close(connection, why, detail);
    };
    this.#waitUntil(close());
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
