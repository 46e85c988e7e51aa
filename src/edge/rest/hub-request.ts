// One request of a service to one hub: whom it may reach, which are objects of its own tenant only.

import type { ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { canonicalName, parseTopic, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import { holderOf, objectName, type Domain } from "../../rooms/rpc/object-names.ts";
import type { Command } from "../../rooms/rpc/command.ts";
import { checkDraft } from "../../rooms/delivery/check-draft.ts";
import { accountStub, roomStubs } from "../../rooms/rpc/stubs.ts";
import type { AccountRpc } from "../../rooms/rpc/account-rpc.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type { RoomRpc } from "../../rooms/rpc/room-rpc.ts";
import type { Service } from "../../auth/service.ts";
import type { AuthEnv } from "../../auth/auth-config.ts";
import type { Message } from "./operation.ts";

export interface AskedOptions {
  readonly request: Request;
  readonly env: AuthEnv & ObjectEnv;
  readonly service: Service;
  readonly served: ServedHub;
  /** What stood in the path, decoded. */
  readonly path: ReadonlyMap<string, string>;
}

export class Asked {
  readonly request: Request;
  readonly env: AuthEnv & ObjectEnv;
  readonly served: ServedHub;
  readonly domain: Domain;
  readonly service: Service;
  readonly #path: ReadonlyMap<string, string>;

  constructor({ request, env, service, served, path }: AskedOptions) {
    this.request = request;
    this.env = env;
    this.served = served;
    this.service = service;
    this.domain = { tenant: service.tenant, hub: served.name };
    this.#path = path;
  }

  /** What stands in the path under this name. */
  named(name: string): string {
    return this.#path.get(name) ?? "";
  }

  /** Throws `invalid_name`. */
  get group(): Topic {
    return { kind: "group", name: canonicalName(this.named("group")) };
  }

  /** Throws `invalid_name`. */
  get userId(): string {
    return canonicalName(this.named("user"));
  }

  /** Throws `room_kind_not_found` or `invalid_name`. */
  get topic(): Topic {
    return parseTopic(this.named("room"));
  }

  get connectionId(): string {
    return this.named("connection");
  }

  room(topic: Topic): RoomRpc {
    return roomStubs(this.env)(objectName({ ...this.domain, topic }));
  }

  account(userId = this.userId): AccountRpc {
    return accountStub(this.env, { tenant: this.domain.tenant, user: userId });
  }

  /** The object that would hold the connection of the path. Throws `connection_not_found`. */
  holder(): Pick<RoomRpc, "command" | "ask"> {
    return roomStubs(this.env)(objectName(holderOf(this.connectionId, this.domain)));
  }

  /** Whether the connection is there, and has done it. */
  async command(...commands: Command[]): Promise<boolean> {
    try {
      const { matched } = await this.holder().command({ connection: this.connectionId }, commands);
      return matched > 0;
    } catch (error) {
      if (error instanceof HubError && error.code === "connection_not_found") return false;
      throw error;
    }
  }

  /** The same, where it must be there. Throws `connection_not_found`. */
  async mustCommand(...commands: Command[]): Promise<void> {
    if (!(await this.command(...commands))) throw noConnection();
  }

  /** An item of a stream, as large as a message may be. Throws `too_large`. */
  item(value: unknown): unknown {
    this.draft({ target: "item", arguments: [value] });
    return value;
  }

  /** What is to be said, in the form rooms take. Throws `too_large`. */
  draft({ target, arguments: args }: Message) {
    const draft = { target, ...encodeParams(args ?? []) };
    checkDraft(draft, this.served.settings.limits.publishBytes);
    return draft;
  }
}

export const noConnection = () =>
  new HubError("connection_not_found", "There is no connection with that id.");
