// One authenticated request of a service to one hub, as operations see it: the values of its path, and the objects
// that it may reach. All object names are built from the service's own tenant, so that no request reaches another's.

import { DEFAULT_TENANT } from "../../auth/claims.ts";
import { groupTopic, roomFor } from "../../dispatch/define/group-names.ts";
import type { ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { ALL, canonicalName, parseTopic, type Topic } from "../../model/topic.ts";
import { encodeGivenParams } from "../../protocols/exact-json.ts";
import {
  accountStub,
  type Domain,
  holderOf,
  noConnection,
  objectName,
  roomStubs,
} from "../../rooms/rpc/object-names.ts";
import type { Command, Selection } from "../../rooms/rpc/command.ts";
import { checkDraft } from "../../rooms/delivery/outbox.ts";
import type { AccountRpc } from "../../rooms/rpc/account-rpc.ts";
import type { ObjectEnv, ObjectNamespaces } from "../../rooms/rpc/object-env.ts";
import { objectsOf } from "../../rooms/rpc/place.ts";
import { publishOnce } from "../../rooms/rpc/retry-once.ts";
import type { RoomRpc } from "../../rooms/rpc/room-rpc.ts";
import type { Service } from "../../auth/service.ts";
import { isGuestId } from "../admit/guests.ts";
import type { WaitUntil } from "../admit/serving.ts";
import { traceIn } from "../../model/trace.ts";
import { guestAccount } from "../../model/user.ts";
import type { AuthEnv } from "../../auth/auth-config.ts";
import type { Message } from "./operation-schemas.ts";
import type { ServiceCall } from "./service-admission.ts";

interface HubRequestOptions extends Omit<ServiceCall, "hubs" | "rates"> {
  readonly service: Service;
  readonly served: ServedHub;
  /** Parameters of the path by name, percent-decoded once. */
  readonly path: ReadonlyMap<string, string>;
}

/**
 * Made by the router for each request. Getters parse their parameter when they are read, so that an operation only
 * fails for invalid parameters that it uses.
 */
export class HubRequest {
  readonly request: Request;
  readonly env: AuthEnv & ObjectEnv;
  /** The path at which the endpoint is mounted: its URLs begin with the request's origin and this. */
  readonly prefix: string;
  readonly served: ServedHub;
  readonly domain: Domain;
  readonly service: Service;
  readonly waitUntil: WaitUntil;
  readonly #objects: ObjectNamespaces;
  readonly #path: ReadonlyMap<string, string>;

  constructor(options: HubRequestOptions) {
    const { request, env, place, prefix, service, served, path } = options;
    this.request = request;
    this.waitUntil = options.waitUntil;
    this.env = env;
    this.prefix = prefix;
    this.served = served;
    this.service = service;
    this.domain = { tenant: service.tenant, hub: served.name };
    this.#objects = objectsOf({ env, place });
    this.#path = path;
  }

  /** The path's parameter of this name; empty if the operation's path has none. */
  parameter(name: string): string {
    return this.#path.get(name) ?? "";
  }

  /** The path's `{group}`, or the room that it stands for (`rooms.{kind}.groups`). Throws `invalid_name`. */
  get group(): Topic {
    return groupTopic(this.served, this.parameter("group"));
  }

  /** The path's `{user}`. Throws `invalid_name`, even for a guest, who has neither an account nor a room. */
  get userId(): string {
    const user = this.#user;
    if (this.#isGuest(user))
      throw new HubError(
        "invalid_name",
        "A guest is one connection: close that, or use the account of its network: guests@{address}.",
      );
    return user;
  }

  get #user(): string {
    const user = canonicalName(this.parameter("user"));
    return guestAccount(user) ?? user;
  }

  /** Whether the id is a guest's. In a hub without guests a token's user may have an id of the same form. */
  #isGuest(user: string): boolean {
    const { anonymous } = this.served.hub.settings;
    return anonymous === true && this.domain.tenant === DEFAULT_TENANT && isGuestId(user);
  }

  /** The path's `{room}`. Throws `room_kind_not_found` or `invalid_name`. */
  get topic(): Topic {
    return this.roomNamed(this.parameter("room"));
  }

  /**
   * A topic as a service writes it; the name of a group may stand for another room, as in `group`. Throws the same
   * errors as `topic`.
   */
  roomNamed(text: string): Topic {
    return roomFor(this.served, parseTopic(text));
  }

  /** The path's `{connection}`, unchecked: `holder` rejects malformed ids. */
  get connectionId(): string {
    return this.parameter("connection");
  }

  /** The object of a room. Rooms exist as soon as they are addressed, and need not be created. */
  room(topic: Topic): RoomRpc {
    return roomStubs(this.#objects)(objectName({ ...this.domain, topic }));
  }

  /** Publishes in a room, which delivers what it has saved even if it crashes meanwhile. */
  publishIn<T>(topic: Topic, publish: (room: RoomRpc) => Promise<T>): Promise<T> {
    const { waitUntil } = this;
    return publishOnce({ topic, room: (of) => this.room(of), waitUntil }, publish);
  }

  /**
   * A user's account, which spans all hubs of the tenant. It lists the objects that hold the user's connections, and
   * sends commands to each of them.
   */
  account(userId = this.userId): AccountRpc {
    return accountStub(this.#objects, { tenant: this.domain.tenant, user: userId });
  }

  /**
   * Runs commands on connections of the path's `{user}` to this hub; resolves with the number of selected connections.
   * Throws `invalid_name`, even for a guest whose connection is not in the hub's room `all`.
   */
  commandUser(selection: Selection, commands: Command[]): Promise<number> {
    const user = this.#user;
    const { reachAll, online } = this.served.settings;
    return this.#isGuest(user) && (reachAll || online)
      ? this.room(ALL).everywhere({ ...selection, user }, commands)
      : this.account().command(this.domain.hub, selection, commands);
  }

  /** The object that would hold the connection of the path. Throws `connection_not_found`. */
  holder(): Pick<RoomRpc, "command" | "ask"> {
    return roomStubs(this.#objects)(objectName(holderOf(this.connectionId, this.domain)));
  }

  /**
   * Runs commands on the connection of the path, in their order.
   * @returns false if the connection does not exist; nothing has happened then.
   */
  async command(...commands: Command[]): Promise<boolean> {
    try {
      const { matched } = await this.holder().command({ connection: this.connectionId }, commands);
      return matched > 0;
    } catch (error) {
      if (error instanceof HubError && error.code === "connection_not_found") return false;
      throw error;
    }
  }

  /** Like `command`, but throws `connection_not_found` if the connection does not exist. */
  async mustCommand(...commands: Command[]): Promise<void> {
    if (!(await this.command(...commands))) throw noConnection();
  }

  /** Checks an item of a stream: it may be as large as a message. Throws `too_large`. */
  item(value: unknown): unknown {
    this.draft({ target: "item", arguments: [value] });
    return value;
  }

  /**
   * A message in the form that rooms publish. Throws `too_large` or `invalid_arguments`, before any object is reached.
   */
  draft({ target, arguments: args }: Message) {
    const draft = { target, ...encodeGivenParams(args ?? []), ...traceIn(this.request) };
    checkDraft(draft, this.served.settings.limits.publishBytes);
    return draft;
  }
}
