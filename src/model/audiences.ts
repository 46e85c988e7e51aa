// How code names whom it calls, in a hub and in a service. Types first: what may be said to whom; then the proxies that
// say it. Who carries the words is for those who extend it.

import { formatTopic, roomTopic, ALL, type Topic } from "./topic.ts";

/**
 * Calls without an answer: to many, or to clients that only listen. In a hub it resolves when it is on its way, in order,
 * and the caller's own call completes once it is saved, and fails with it; in a service it resolves once it is saved.
 */
export type Sends<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => any
    ? (...args: A) => Promise<void>
    : never;
};

/** Calls to one client: those that answer are waited for. */
export type Asks<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** `One` is what may be said to one connection. */
export interface Clients<C, One = Asks<C>> {
  /** Every connection of the hub in this tenant. */
  readonly all: Sends<C>;
  group(...names: string[]): Sends<C>;
  order(...ids: string[]): Sends<C>;
  user(...ids: string[]): Sends<C>;
  connection(id: string): One;
  connections(...ids: string[]): Sends<C>;
  /** The same audiences without these connections. */
  except(...connectionIds: string[]): Clients<C, One>;
}

/** One call of a client method, to all but these connections. */
export interface Said {
  readonly target: string;
  readonly args: readonly unknown[];
  readonly except: readonly string[];
}

export type Say = (target: string, args: unknown[]) => Promise<unknown>;

/** `then` is nobody's method: a proxy that had one would never come out of an `await`. */
export const speaking = <T extends object>(say: Say): T =>
  new Proxy({} as T, {
    get: (_, target) =>
      typeof target === "string" && target !== "then"
        ? (...args: unknown[]) => say(target, args)
        : undefined,
  });

/** Each audience is made only for who names it; as getters, so that they may be taken apart. */
export abstract class Audiences<C, One> implements Clients<C, One> {
  protected readonly excluded: readonly string[];

  constructor(excluded: readonly string[]) {
    this.excluded = excluded;
  }
  protected abstract publish(topics: readonly Topic[], said: Said): Promise<void>;
  protected abstract tell(connectionId: string, said: Said): Promise<void>;
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
      this.speak(async (target, args) => {
        const said = { target, args, except: this.excluded };
        await Promise.all([...new Set(ids)].map((id) => this.tell(id, said)));
      });
  }
  protected toTopics(topics: readonly Topic[], except = this.excluded): Sends<C> {
    return this.speak((target, args) => this.publish(topics, { target, args, except }));
  }
  protected speak(say: Say): Sends<C> {
    return speaking(say);
  }
  #rooms(kind: string, names: readonly string[]): Sends<C> {
    const topics = names.map((name) => roomTopic(kind, name));
    return this.toTopics(topics.length > 1 ? distinct(topics) : topics);
  }
}

/** One audience named twice is told once. */
const distinct = (topics: readonly Topic[]): Topic[] => [
  ...new Map(topics.map((topic) => [formatTopic(topic), topic])).values(),
];
