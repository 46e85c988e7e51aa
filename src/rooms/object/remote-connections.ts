// Connections of any object of the hub, by their ids: those of this object by a function call, others by RPC.

import { HubError, publicError } from "../../model/errors.ts";
import type { Params } from "../../model/message.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { holderOf, objectName, type ObjectAddress } from "../rpc/object-names.ts";
import type { Connection } from "../connection/connection.ts";
import { checkDraft } from "../delivery/check-draft.ts";
import type { Parts } from "./object-parts.ts";
import type { Host, Receiver } from "./host.ts";

export class RemoteConnections {
  readonly #parts: Parts;
  readonly #host: Host;
  readonly #receiver: Receiver;

  constructor(parts: Parts, host: Host, receiver: Receiver) {
    this.#parts = parts;
    this.#host = host;
    this.#receiver = receiver;
  }

  /** Who is gone is told nothing, and nobody hears of that: as in SignalR, a push is no question. */
  async tell(id: string, target: string, params: Params): Promise<void> {
    checkDraft({ target, ...params }, this.#parts.settings.limits.publishBytes);
    try {
      const connection = this.#local(id);
      if (connection) this.#host.send(connection, { type: "invocation", target, ...params });
      else await this.#parts.holder(this.#homeOf(id)).tell(id, target, params);
    } catch (error) {
      if (publicError(error).code !== "connection_not_found") throw error;
    }
  }

  async ask(id: string, target: string, params: Params): Promise<unknown> {
    checkDraft({ target, ...params }, this.#parts.settings.limits.publishBytes);
    const connection = this.#local(id);
    return connection
      ? this.#receiver.ask(this.#host, connection, target, params)
      : this.#parts.holder(this.#homeOf(id)).ask(id, target, params);
  }

  async move(id: string, topic: Topic, how: "join" | "leave"): Promise<void> {
    const connection = this.#parts.connections.get(id);
    const home = connection ? undefined : this.#homeOf(id);
    if (home && !this.#isOwn(home))
      return this.#parts.holder(home).move(id, formatTopic(topic), how);
    if (connection) await this.#host[how](connection, topic);
  }

  /** Undefined where the connection is of another object. Throws `connection_not_found` where it should be here. */
  #local(id: string): Connection | undefined {
    const connection = this.#parts.connections.get(id);
    if (!connection && this.#isOwn(this.#homeOf(id)))
      throw new HubError("connection_not_found", "There is no connection with that id.");
    return connection;
  }

  #homeOf(id: string): ObjectAddress {
    return holderOf(id, this.#parts.home);
  }

  #isOwn(home: ObjectAddress): boolean {
    return objectName(home) === objectName(this.#parts.home);
  }
}
