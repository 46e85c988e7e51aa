// The context of a call for hub code (its contract is HubContext): the caller, its rooms, and the clients that the code
// may call. A Messenger sends the messages; tests of user code have one that only records them.

import {
  Audiences,
  callProxy,
  type ClientCall,
  type Clients,
  type SendCall,
} from "../../model/audiences.ts";
import { CLOSE, type CloseCode } from "../../model/errors.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { ALL, roomTopic, topicOfCode, type Position, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Publications } from "../../rooms/delivery/fan-out.ts";
import { checkDraft } from "../../rooms/delivery/outbox.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { Asks, CallerClients, HubContext, Sends } from "../define/hub-context.ts";
import { roomFor } from "../define/group-names.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { messageCheckOf } from "../define/outgoing-check.ts";
import { envOf } from "../define/runtime.ts";
import { checkAnswer } from "../define/validate.ts";
import { checkedMessenger } from "./checked-messages.ts";
import { conflictOf, messengerAt } from "./conditional-messages.ts";
import { itemsOf } from "./items.ts";
import { unsent, type Messenger, type MessengerOptions } from "./messenger.ts";
import { roomOf, roomView } from "./room-views.ts";
import { statefulRoomOf, withMembers } from "./stateful-rooms.ts";

/**
 * A messenger over an object's ports, which adds its publications to `published`. Publications to one room keep their
 * order. In development it refuses messages that the hub does not declare.
 */
export function messengerOf(options: MessengerOptions, published: Publications): Messenger {
  const { host, served } = options;
  const messenger = plainMessenger(options, published);
  const check = served.hub.settings.client && messageCheckOf(served, host.env);
  return check ? checkedMessenger(messenger, check, published) : messenger;
}

function plainMessenger(options: MessengerOptions, published: Publications): Messenger {
  const { host, served, caller, idPrefix, asking } = options;
  const answers: Record<string, any> = served.hub.settings.answers ?? {};
  let count = 0;
  const trace = caller ? caller.attached.trace : options.trace;
  const encoded = encoderOf(served, published);
  return {
    answers: (target) => Object.hasOwn(answers, target),
    async publish(topic, { target, args, except, ifAt }) {
      const id = idPrefix === undefined ? undefined : `${idPrefix}/${count++}`;
      // Leaves out members that are undefined or empty, because all members are sent, and most are saved.
      const draft = {
        ...(id !== undefined && { id }),
        target,
        ...encoded(target, args),
        ...(except.length > 0 && { except }),
        ...(ifAt && { ifAt }),
        ...(trace !== undefined && { trace }),
      };
      const room = served.groupPrefixes.length > 0 ? roomFor(served, topic) : topic;
      const result = host.publishing.publish(room, draft, caller);
      if (ifAt) return conflictOf(result, published);
      // Not awaited here: the call's completion waits, and the connection's next call need not.
      published.add(result);
    },
    tell: async (connection, target, args) =>
      host.clients.tell(connection, { target, ...encoded(target, args) }, caller),
    async ask(connection, target, args) {
      asking?.();
      const call = { target, ...encoded(target, args) };
      const answer = await host.clients.ask(connection, call, caller);
      // A client of any protocol, also of another object, may have answered.
      const binder = { binding: "either", shapeOf: served.shapeOf } as const;
      const name = () => `The answer to ${target}`;
      return checkAnswer(answers[target], answer, { name, binder });
    },
  };
}

/** Encodes arguments. Hub code need not wait for what the encoder throws. */
const encoderOf =
  ({ settings }: ServedHub, published: Publications) =>
  (target: string, args: readonly unknown[]) => {
    try {
      const params = encodeParams(args);
      checkDraft({ target, ...params }, settings.limits.publishBytes);
      return params;
    } catch (error) {
      throw unsent(published, error);
    }
  };

/** The audiences of a hook; `except` are ids of connections that receive nothing. */
export const clientsOf = <C>(messenger: Messenger, except: readonly string[] = []): Clients<C> =>
  new HubAudiences<C>(messenger, except);

/** The audiences of a call; `caller` is the id of its connection. */
export const callerClientsOf = <C>(messenger: Messenger, caller: string): CallerClients<C> =>
  new CallerAudiences<C>(messenger, caller);

/** A proxy whose promises may be ignored: hub code that does not await a message causes no unhandled rejection. */
const handledProxy = <T extends object>(send: SendCall): T =>
  callProxy<T>((target, args) => {
    const sent = send(target, args);
    sent.catch(() => {});
    return sent;
  });

/** Calls to one connection: calls with a declared result resolve with it. */
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
  protected async publish(topics: readonly Topic[], call: ClientCall) {
    await Promise.all(topics.map((topic) => this.messenger.publish(topic, call)));
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
  get at() {
    return (position: Position) => clientsOf<C>(messengerAt(this.messenger, position));
  }
  get othersIn() {
    return (name: string) => this.toTopics([topicOfCode("group", name)], [this.#caller]);
  }
}

export interface CallContext {
  readonly served: ServedHub;
  /** The ports of the object that holds the caller's connection. */
  readonly host: Host;
  readonly caller: Connection;
  readonly messenger: Messenger;
  /** Ends the caller's connection after the messages that were sent to it. */
  end(why: CloseCode): void;
  /** Runs work in the background, after the call too. */
  waitUntil(work: Promise<unknown>): void;
  /** Called on first use: signals are expensive, and most calls use none. */
  signal(): AbortSignal;
}

/** The context of one call, or of a connection's `connected` and `disconnected`. */
export const callContext = (options: CallContext): HubContext<any> => new OneCall(options);

/** Members are getters, built at each use: most calls use two or three of them. */
class OneCall implements HubContext<any> {
  readonly #options: CallContext;

  constructor(options: CallContext) {
    this.#options = options;
  }
  get env() {
    return envOf(this.#options.host);
  }
  get waitUntil() {
    return (work: Promise<unknown>) => this.#options.waitUntil(work);
  }
  get connectionId() {
    return this.#options.caller.id;
  }
  get user() {
    return freezeDeep(this.#options.caller.user);
  }
  get clients() {
    return callerClientsOf<any>(this.#options.messenger, this.#options.caller.id);
  }
  get room() {
    return freezeDeep(this.#options.host.roomOf(this.#options.caller));
  }
  get request() {
    return freezeDeep(this.#options.caller.attached.request);
  }

  get trace() {
    return this.#options.caller.attached.trace;
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
  /** The caller's own room with state; undefined if users' rooms have none. */
  get own() {
    const { host, caller, served } = this.#options;
    return statefulRoomOf({ host, served, caller, topic: roomTopic("user", caller.user.id) });
  }
  get abort() {
    return () => this.#options.end(CLOSE.aborted);
  }
  #roomOf(kind: string, name: string) {
    const { host, caller, served } = this.#options;
    const topic = roomFor(served, topicOfCode(kind, name));
    const room = roomOf(host, caller, topic);
    const state = served.state && statefulRoomOf({ host, served, caller, topic });
    return state ? withMembers(room, state) : room;
  }
}
