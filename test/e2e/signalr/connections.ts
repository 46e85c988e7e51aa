// Stock SignalR clients for tests in Node: they keep what the hub says to them and await what comes.

import { LogLevel, type HubConnection, type Subject } from "@microsoft/signalr";
import type { Endpoint } from "../../support/endpoint.ts";
import { within } from "../client.ts";
import { build, type Row } from "./rows.ts";

export { ROWS, type Row } from "./rows.ts";

export interface Visiting {
  readonly endpoint: Endpoint;
  readonly row: Row;
  readonly hub: string;
}

export interface Visitor {
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
  /** What the hub may say, as it is spelled on the wire. */
  readonly hears?: readonly string[];
  /** What the hub may ask. */
  readonly answers?: Readonly<Record<string, (...args: never[]) => unknown>>;
  readonly delays?: number[];
  readonly stateful?: boolean;
}

/** What was said: the target, then its arguments. */
type Said = readonly [target: string, ...args: unknown[]];

export class Guest implements AsyncDisposable {
  readonly connection: HubConnection;
  /** In order. */
  readonly heard: Said[] = [];
  readonly closed: Promise<Error | undefined>;
  #unread: Said[] = [];
  #waiting: (() => void)[] = [];

  constructor(connection: HubConnection, { hears = [], answers = {} }: Visitor) {
    this.connection = connection;
    this.closed = new Promise((resolve) => connection.onclose(resolve));
    for (const target of hears)
      connection.on(target, (...args: unknown[]) => this.#hear([target, ...args]));
    for (const [target, answer] of Object.entries(answers)) connection.on(target, answer);
  }

  #hear(said: Said): void {
    this.heard.push(said);
    this.#unread.push(said);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The arguments of the next call of this target that matches; other targets stay unread. */
  async next(
    target: string,
    matches: (...args: unknown[]) => boolean = () => true,
  ): Promise<unknown[]> {
    for (;;) {
      const place = this.#unread.findIndex(([of, ...args]) => of === target && matches(...args));
      if (place >= 0) return this.#unread.splice(place, 1)[0]!.slice(1);
      const more = new Promise<void>((wake) => this.#waiting.push(wake));
      await within(more, target, () => JSON.stringify(this.heard.slice(-5)));
    }
  }

  invoke(method: string, ...args: unknown[]): Promise<unknown> {
    return within(this.connection.invoke(method, ...args), `the answer to ${method}`);
  }

  /** The message of the error that a call ends with. */
  async fails(method: string, ...args: unknown[]): Promise<string> {
    return messageOf(this.invoke(method, ...args));
  }

  /** All items of a stream; rejects with its error. */
  items(method: string, ...args: unknown[]): Promise<unknown[]> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
    const items: unknown[] = [];
    this.connection.stream(method, ...args).subscribe({
      next: (item) => void items.push(item),
      complete: () => resolve(items),
      error: reject,
    });
    return within(promise, `the end of ${method}`);
  }

  /** So many items of a stream that has more; then it is disposed of. */
  first(count: number, method: string, ...args: unknown[]): Promise<unknown[]> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
    const items: unknown[] = [];
    const subscription = this.connection.stream(method, ...args).subscribe({
      next(item) {
        if (items.push(item) < count) return;
        subscription.dispose();
        resolve(items);
      },
      complete: () => reject(new Error(`${method} ended after ${items.length} items.`)),
      error: reject,
    });
    return within(promise, `${count} items of ${method}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
  }
}

export async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It did not fail.");
}

/** What `Whoami` gives: MessagePack names members in PascalCase. */
export function connectionIdOf(identity: unknown): string {
  const { connectionId, ConnectionId } = identity as Record<string, string | undefined>;
  return (connectionId ?? ConnectionId)!;
}

/** Before `start`. */
export function guest({ endpoint, row, hub }: Visiting, visitor: Visitor = {}): Guest {
  const { user = "alice", claims, delays, stateful } = visitor;
  const connection = build(row, {
    url: `${endpoint.url}/hubs/${hub}`,
    token: () => endpoint.token(user, claims),
    logging: LogLevel.None,
    ...(delays && { delays }),
    ...(stateful && { stateful }),
  });
  return new Guest(connection, visitor);
}

export async function visit(visiting: Visiting, visitor: Visitor = {}): Promise<Guest> {
  const one = guest(visiting, visitor);
  await within(one.connection.start(), "the start of a connection");
  return one;
}

/** A subject loses what it is given before anybody has subscribed to it: so the call comes first. */
export function fill<T>(subject: Subject<T>, items: readonly T[]): void {
  for (const item of items) subject.next(item);
  subject.complete();
}
