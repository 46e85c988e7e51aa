// Connections of any object of the hub, by their ids: those of this object by a function call, others by RPC.

import { HubError, publicError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { checkDraft } from "../delivery/outbox.ts";
import { holderOf, noConnection, objectName, type ObjectAddress } from "../rpc/object-names.ts";
import { askOnce, callOnce, retryOnce } from "../rpc/retry-once.ts";
import type { HolderRpc } from "../rpc/room-rpc.ts";
import type { ClientMethodCall, RemoteClients, RoomAccess } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";

interface RemoteConnectionsOptions {
  readonly parts: Pick<
    ObjectParts,
    "address" | "beforeLook" | "connections" | "followed" | "outbox" | "settings" | "stubs"
  >;
  readonly rooms: RoomAccess;
  /** Invokes a method of a client of this object, and waits for its result. */
  ask(connection: Connection, call: ClientMethodCall): Promise<unknown>;
}

export class RemoteConnections implements RemoteClients {
  readonly #options: RemoteConnectionsOptions;

  constructor(options: RemoteConnectionsOptions) {
    this.#options = options;
  }

  /** Does nothing if the connection no longer exists, as in SignalR. */
  async tell(id: string, call: ClientMethodCall, caller?: Connection): Promise<void> {
    this.#check(call);
    try {
      const connection = this.#local(id);
      if (!connection) {
        const { target, ...params } = call;
        return await callOnce(() => this.#holder(this.#addressOf(id)).tell(id, target, params));
      }
      const { outbox } = this.#options.parts;
      const send = () => outbox.send(connection, { type: "invocation", ...call });
      this.#tellInOrder(caller, connection, { send, size: call.params.length });
    } catch (error) {
      if (publicError(error).code !== "connection_not_found") throw error;
    }
  }

  /** Throws `connection_not_found`, the error of the client's method, `timed_out`, `interrupted`, or `unavailable`. */
  async ask(id: string, call: ClientMethodCall, caller?: Connection): Promise<unknown> {
    this.#check(call);
    this.#options.parts.beforeLook();
    const connection = this.#local(id);
    if (connection) {
      const waits = this.#inOrder(caller, connection, () => {});
      if (waits) {
        await waits;
        // Throws if the connection has ended meanwhile; otherwise the call would wait until its time limit.
        this.#local(id);
      }
      return this.#options.ask(connection, call);
    }
    const { target, ...params } = call;
    return askOnce(() => this.#holder(this.#addressOf(id)).ask(id, target, params));
  }

  /** Does nothing for a connection that has ended: its membership has ended as well. */
  async move(id: string, topic: Topic, how: "join" | "leave"): Promise<void> {
    this.#options.parts.beforeLook();
    const connection = this.#options.parts.connections.get(id);
    if (connection) return this.#options.rooms[how](connection, topic);
    const address = this.#addressOf(id);
    if (!this.#isOwn(address))
      await retryOnce(() => this.#holder(address).move(id, formatTopic(topic), how));
  }

  /** Sends now or later. Waiting messages count as held by the recipient; throws `busy` if its memory is spent. */
  #tellInOrder(
    caller: Connection | undefined,
    connection: Connection,
    { send, size }: { send: () => void; size: number },
  ): void {
    const { held } = connection;
    if (connection.deferred > 0 && !held.fits(size))
      throw new HubError("busy", "Too many messages wait for a room that is slow.");
    const waits = this.#inOrder(caller, connection, send);
    if (!waits) return;
    const { flow } = connection;
    held.buffer(size);
    flow.unsent += size;
    const release = () => {
      held.unbuffer(size);
      flow.unsent -= size;
    };
    waits.then(release, release);
  }

  /** Hub code of a call sends after the call's publications; other code sends at once. */
  #inOrder(caller: Connection | undefined, recipient: Connection, send: () => void) {
    const { undelivered } = this.#options.parts.followed;
    return caller ? undelivered.inOrder({ caller, recipient }, send) : void send();
  }

  /** The limits of published messages hold for direct ones as well. */
  #check(call: ClientMethodCall): void {
    checkDraft(call, this.#options.parts.settings.limits.publishBytes);
  }

  /** Undefined for a connection of another object. Throws `connection_not_found` if it should be here and is not. */
  #local(id: string): Connection | undefined {
    const connection = this.#options.parts.connections.get(id);
    if (!connection && this.#isOwn(this.#addressOf(id))) throw noConnection();
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
