// The context that hub code gets with a call: the caller, its rooms, and the clients that the code may call. How messages
// travel is a Messenger's; tests of user code have one that only records them.

import {
  Audiences,
  callProxy,
  type ClientCall,
  type Clients,
  type SendCall,
} from "../../model/audiences.ts";
import { CLOSE } from "../../model/errors.ts";
import { ALL, roomTopic, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Ticket } from "../../rooms/delivery/fan-out.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { Asks, CallerClients, HubContext, Sends } from "../define/hub-context.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { checkBound } from "../define/validate.ts";
import { itemsOf } from "./items.ts";
import { roomOf, roomView } from "./room-views.ts";

/** Carries hub code's messages to rooms and clients. */
export interface Messenger {
  /** To a room; `except` are ids of connections. Done when it is on its way, in order. */
  publish(
    topic: Topic,
    target: string,
    args: readonly unknown[],
    except: readonly string[],
  ): Promise<void>;
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  /** Gives the client's result, validated. */
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
  /** Whether the hub declares a result for this client method. */
  answers(target: string): boolean;
}

/** What one call has published so far, in this object's room and in others. */
export interface Publications {
  readonly tickets: Ticket[];
  readonly elsewhere: Promise<void>[];
}

export interface MessengerOptions {
  readonly host: Pick<Host, "clients" | "publishing">;
  readonly served: ServedHub;
  /** Begins the ids of publications, so that a repeated call publishes nothing twice. */
  readonly idPrefix?: string | undefined;
  /** Called before the code waits for a client: other calls of the connection may run meanwhile. */
  asking?(): void;
}

/** A messenger over an object's ports. What it publishes is noted in `published`. */
export function messengerOf(options: MessengerOptions, published: Publications): Messenger {
  const { host, served, idPrefix, asking } = options;
  const answers: Record<string, any> = served.hub.settings.answers ?? {};
  let count = 0;
  return {
    answers: (target) => Object.hasOwn(answers, target),
    async publish(topic, target, args, except) {
      const result = host.publishing.publish(topic, {
        ...(idPrefix !== undefined && { id: `${idPrefix}/${count++}` }),
        target,
        ...encodeParams(args),
        ...(except.length > 0 && { except }),
      });
      if (!(result instanceof Promise)) return void published.tickets.push(result);
      // Not waited for here: the call's completion waits, and the connection's next call need not.
      result.catch(() => {});
      published.elsewhere.push(result);
    },
    tell: (connection, target, args) => host.clients.tell(connection, target, encodeParams(args)),
    async ask(connection, target, args) {
      asking?.();
      const answer = await host.clients.ask(connection, target, encodeParams(args));
      // A client of any protocol may have answered, of another object, too: JSON's rules lose nothing of either.
      const binder = { binding: "json", shapeOf: served.shapeOf } as const;
      return checkBound(answers[target], answer, {
        name: `The answer to ${target}`,
        call: { binder },
      });
    },
  };
}

export const clientsOf = <C>(messenger: Messenger, except: readonly string[] = []): Clients<C> =>
  new HubAudiences<C>(messenger, except);

export const callerClientsOf = <C>(messenger: Messenger, caller: string): CallerClients<C> =>
  new CallerAudiences<C>(messenger, caller);

/** Code that does not await a message must not cause an unhandled rejection: its call fails anyway. */
const handledProxy = <T extends object>(send: SendCall): T =>
  callProxy<T>((target, args) => {
    const sent = send(target, args);
    sent.catch(() => {});
    return sent;
  });

const toConnection = <C>(messenger: Messenger, id: string) =>
  handledProxy<Asks<C>>((target, args) =>
    messenger.answers(target) ? messenger.ask(id, target, args) : messenger.tell(id, target, args),
  );

class HubAudiences<C> extends Audiences<C, Asks<C>> {
  protected readonly messenger: Messenger;

  constructor(messenger: Messenger, except: readonly string[]) {
    super(except);
    this.messenger = messenger;
  }
  get connection() {
    return (id: string) => toConnection<C>(this.messenger, id);
  }
  get except() {
    return (...ids: string[]) => clientsOf<C>(this.messenger, [...this.excluded, ...ids]);
  }
  protected async publish(topics: readonly Topic[], { target, args, except }: ClientCall) {
    await Promise.all(topics.map((topic) => this.messenger.publish(topic, target, args, except)));
  }
  protected override proxyOf(send: SendCall) {
    return handledProxy<Sends<C>>(send);
  }
  protected send(id: string, { target, args }: ClientCall) {
    return this.messenger.tell(id, target, args);
  }
}

class CallerAudiences<C> extends HubAudiences<C> implements CallerClients<C> {
  readonly #caller: string;

  constructor(messenger: Messenger, caller: string) {
    super(messenger, []);
    this.#caller = caller;
  }
  get caller() {
    return toConnection<C>(this.messenger, this.#caller);
  }
  get others() {
    return this.toTopics([ALL], [this.#caller]);
  }
  get othersIn() {
    return (name: string) => this.toTopics([roomTopic("group", name)], [this.#caller]);
  }
}

export interface CallContext {
  readonly host: Host;
  readonly caller: Connection;
  readonly messenger: Messenger;
  signal(): AbortSignal;
}

export const callContext = (options: CallContext): HubContext<any> => new OneCall(options);

/** The context of one call. Each member is made on first use: most calls use two or three. */
class OneCall implements HubContext<any> {
  readonly #options: CallContext;

  constructor(options: CallContext) {
    this.#options = options;
  }
  get connectionId() {
    return this.#options.caller.id;
  }
  get user() {
    return this.#options.caller.user;
  }
  get clients() {
    return callerClientsOf<any>(this.#options.messenger, this.#options.caller.id);
  }
  get room() {
    return this.#options.host.roomOf(this.#options.caller);
  }
  get request() {
    return this.#options.caller.attached.request;
  }
  get items() {
    return itemsOf(this.#options.host.connections, this.#options.caller);
  }
  get all() {
    return roomView(this.#options.host.rooms, ALL);
  }
  get signal() {
    return this.#options.signal();
  }
  get group() {
    return (name: string) => this.#roomOf("group", name);
  }
  get order() {
    return (id: string) => this.#roomOf("order", id);
  }
  get abort() {
    const { host, caller } = this.#options;
    return () => host.connections.close(caller, CLOSE.aborted);
  }
  #roomOf(kind: string, name: string) {
    return roomOf(this.#options.host, this.#options.caller, roomTopic(kind, name));
  }
}
