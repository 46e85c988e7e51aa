// Audiences, for hub code and for services: first the types (which client methods may be called on which audience),
// then the proxies behind them. Subclasses supply the transport.

import { formatTopic, topicOfCode, ALL, type Position, type Topic } from "./topic.ts";

/**
 * Calls without an answer: to an audience of many, or to clients whose methods return nothing. In a hub the promise
 * resolves once the message is on its way, in order; the caller's own call completes once the message is saved, and
 * fails with it. In a service the promise resolves once it is saved.
 */
export type Sends<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => any
    ? (...args: A) => Promise<void>
    : never;
};

/** Calls to one client. If the client's method returns a result, the promise resolves with the client's answer. */
export type Asks<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/**
 * The audiences that every context has. Each one is an object with the client methods:
 * `clients.group("lobby").receiveMessage("hello")`. An audience without connections is no error. Repeated names and ids
 * count once. Throws `invalid_name`.
 *
 * `One` is the type of calls to a single connection.
 */
export interface Clients<C, One = Asks<C>> {
  /** Every connection of the hub in this tenant. */
  readonly all: Sends<C>;
  /** Members of any of the groups; those of several receive one message per group. */
  group(...names: string[]): Sends<C>;
  /** Members of any of the order rooms. */
  order(...ids: string[]): Sends<C>;
  /** Connections of the users, as the hub's setting `reach.users` includes them. */
  user(...ids: string[]): Sends<C>;
  /** One connection. Only its client methods can return a result. */
  connection(id: string): One;
  /** Several connections. Hub code may name closed ones: these are ignored. */
  connections(...ids: string[]): Sends<C>;
  /** The same audiences without these connections, by id. Does not affect `connection` and `connections`. */
  except(...connectionIds: string[]): Clients<C, One>;
}

/** One call of a client method. `except` are ids of connections that do not receive it. */
export interface ClientCall {
  readonly target: string;
  readonly args: readonly unknown[];
  readonly except: readonly string[];
  /** Publish only if the room is still at this position. */
  readonly ifAt?: Position;
}

/** Sends a call of the client method `target`. */
export type SendCall = (target: string, args: unknown[]) => Promise<unknown>;

/**
 * An object with a method for every name: client methods, and a client's `invoke`, `send`, `stream` and `run`. Except
 * for two names which the language calls by itself: `then`, called by `await`, which would never settle; and `toJSON`,
 * called by `JSON.stringify` of a value that contains the object, such as a line of the log.
 */
export const callProxy = <T extends object>(
  call: (method: string, args: unknown[]) => unknown,
): T =>
  // Without a prototype: Svelte's `$state` would wrap a plain object in a proxy that hides the methods.
  new Proxy(Object.create(null) as T, {
    get: (_, method) =>
      typeof method === "string" && method !== "then" && method !== "toJSON"
        ? (...args: unknown[]) => call(method, args)
        : undefined,
  });

/** Builds audiences on demand. Members are getters, so that callers may destructure them. */
export abstract class Audiences<C, One> implements Clients<C, One> {
  protected readonly excluded: readonly string[];

  constructor(excluded: readonly string[]) {
    this.excluded = excluded;
  }
  /** Publishes one call to each of the topics. Resolves at the time that `Sends` documents. */
  protected abstract publish(topics: readonly Topic[], call: ClientCall): Promise<void>;
  /** Sends to one connection, on whichever object it is. */
  protected abstract send(connectionId: string, call: ClientCall): Promise<void>;
  abstract get connection(): (id: string) => One;
  abstract get except(): (...ids: string[]) => Clients<C, One>;

  get all() {
    return this.toTopics([ALL]);
  }
  get group() {
    return (...names: string[]) => this.#rooms("group", names);
  }
  get order() {
    return (...ids: string[]) => this.#rooms("order", ids);
  }
  get user() {
    return (...ids: string[]) => this.#rooms("user", ids);
  }
  get connections() {
    return (...ids: string[]) =>
      this.proxyOf(async (target, args) => {
        const call = { target, args, except: this.excluded };
        await Promise.all([...new Set(ids)].map((id) => this.send(id, call)));
      });
  }
  protected toTopics(topics: readonly Topic[], except = this.excluded): Sends<C> {
    return this.proxyOf((target, args) => this.publish(topics, { target, args, except }));
  }
  protected proxyOf(send: SendCall): Sends<C> {
    return callProxy(send);
  }
  #rooms(kind: string, names: readonly string[]): Sends<C> {
    const topics = names.map((name) => topicOfCode(kind, name));
    return this.toTopics(topics.length > 1 ? distinct(topics) : topics);
  }
}

/** Each topic once, so that an audience that was named twice receives the message once. */
const distinct = (topics: readonly Topic[]): Topic[] => [
  ...new Map(topics.map((topic) => [formatTopic(topic), topic])).values(),
];
