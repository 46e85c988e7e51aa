// Connections of any object of the hub, by their ids: those of this object by a function call, others by RPC.

import { HubError, publicError } from "../../model/errors.ts";
import type { Params } from "../../model/message.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { checkDraft } from "../delivery/outbox.ts";
import { resultOf } from "../rpc/fault.ts";
import { holderOf, objectName, type ObjectAddress } from "../rpc/object-names.ts";
import type { HolderRpc } from "../rpc/room-rpc.ts";
import type { ClientMethodCall, RemoteClients, RoomAccess } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";

interface RemoteConnectionsOptions {
  readonly parts: Pick<ObjectParts, "address" | "connections" | "outbox" | "settings" | "stubs">;
  readonly rooms: RoomAccess;
  /** Invokes a method of a client of this object, and waits for its result. */
  ask(connection: Connection, call: ClientMethodCall): Promise<unknown>;
}

export class RemoteConnections implements RemoteClients {
  readonly #options: RemoteConnectionsOptions;

  constructor(options: RemoteConnectionsOptions) {
    this.#options = options;
  }

  /** No error where the connection does not exist any more: as in SignalR. */
  async tell(id: string, target: string, params: Params): Promise<void> {
    this.#check(target, params);
    try {
      const connection = this.#local(id);
      const message = { type: "invocation", target, ...params } as const;
      if (connection) this.#options.parts.outbox.send(connection, message);
      else await this.#holder(this.#addressOf(id)).tell(id, target, params);
    } catch (error) {
      if (publicError(error).code !== "connection_not_found") throw error;
    }
  }

  /** Throws `connection_not_found`, and what the client's method or its time limit throws. */
  async ask(id: string, target: string, params: Params): Promise<unknown> {
    this.#check(target, params);
    const connection = this.#local(id);
    if (connection) return this.#options.ask(connection, { target, ...params });
    return resultOf(await this.#holder(this.#addressOf(id)).ask(id, target, params));
  }

  /** An id whose connection has ended is no error here: membership ends with the connection. */
  async move(id: string, topic: Topic, how: "join" | "leave"): Promise<void> {
    const connection = this.#options.parts.connections.get(id);
    if (connection) return this.#options.rooms[how](connection, topic);
    const address = this.#addressOf(id);
    if (!this.#isOwn(address)) await this.#holder(address).move(id, formatTopic(topic), how);
  }

  /** The limits of published messages hold for direct ones as well. */
  #check(target: string, params: Params): void {
    checkDraft({ target, ...params }, this.#options.parts.settings.limits.publishBytes);
  }

  /** Undefined where the connection is of another object. Throws `connection_not_found` where it should be here. */
  #local(id: string): Connection | undefined {
    const connection = this.#options.parts.connections.get(id);
    if (!connection && this.#isOwn(this.#addressOf(id)))
      throw new HubError("connection_not_found", "There is no connection with that id.");
    return connection;
  }

  #addressOf(id: string): ObjectAddress {
    return holderOf(id, this.#options.parts.address);
  }

  #holder(address: ObjectAddress): HolderRpc {
    return this.#options.parts.stubs(objectName(address));
  }

  #isOwn(address: ObjectAddress): boolean {
    return objectName(address) === objectName(this.#options.parts.address);
  }
}
