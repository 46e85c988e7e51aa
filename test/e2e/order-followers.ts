// Who follows orders, over each transport, and writes down every status. Of one order each must come once, in order: 0,
// 1, 2 …

import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { events } from "../../src/client/index.ts";
import type { OrderHub } from "../../src/hubs/orders.ts";
import type { Endpoint } from "../support/endpoint.ts";

export class Follower implements AsyncDisposable {
  readonly name: string;
  /** What was heard of each order, and how often it was something else than the next. */
  readonly #heard: Map<string, number>;
  readonly #each: number;
  readonly wrong: string[] = [];
  leave: () => unknown = () => {};

  constructor(name: string, orders: readonly string[], each: number) {
    this.name = name;
    this.#heard = new Map(orders.map((order) => [order, 0]));
    this.#each = each;
  }

  get orders(): readonly string[] {
    return [...this.#heard.keys()];
  }

  take(order: string, status: string): void {
    const next = this.#heard.get(order);
    if (status !== String(next)) this.wrong.push(`${this.name}: ${order} ${status}, not ${next}`);
    if (next !== undefined) this.#heard.set(order, Number(status) + 1);
  }

  get missing(): readonly string[] {
    return [...this.#heard]
      .filter(([, count]) => count !== this.#each)
      .map(([order, count]) => `${this.name}: ${count} of ${order}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}

/** A stock client of SignalR, in all rooms at once. */
export async function overSignalR(endpoint: Endpoint, follower: Follower): Promise<void> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${endpoint.url}/hubs/orders`, {
      accessTokenFactory: () => endpoint.token(follower.name),
    })
    .configureLogging(LogLevel.None)
    .build();
  connection.on("orderStatusChanged", (order: string, status: string) =>
    follower.take(order, status),
  );
  connection.onclose((error) => void (error && follower.wrong.push(`closed: ${error.message}`)));
  follower.leave = () => connection.stop();
  await connection.start();
  await Promise.all(follower.orders.map((order) => connection.invoke("joinOrderGroup", order)));
}

/** A plain partysocket in the room of one order. */
export async function overPartySocket(endpoint: Endpoint, follower: Follower): Promise<void> {
  const token = await endpoint.token(follower.name);
  const socket = new PartySocket({
    ...{ host: `127.0.0.1:${endpoint.port}`, party: "orders", WebSocket },
    room: `order:${follower.orders[0]}`,
    query: { access_token: token },
  });
  follower.leave = () => socket.close();
  const greeted = Promise.withResolvers<void>();
  // What comes at once comes as one frame.
  socket.addEventListener("message", ({ data }) => {
    for (const { method, params } of [JSON.parse(String(data))].flat()) {
      if (method === "$/connected") greeted.resolve();
      if (method === "orderStatusChanged") follower.take(params[0], params[1]);
    }
  });
  socket.addEventListener("error", () => greeted.reject(new Error(`${follower.name} is refused`)));
  await greeted.promise;
}

/** One stream of events with all rooms. */
export async function overEvents(endpoint: Endpoint, follower: Follower): Promise<void> {
  const over = new AbortController();
  const [first, ...others] = follower.orders.map((order) => `order:${order}` as const);
  const stream = events<OrderHub>(`${endpoint.url}/hubs/orders`, {
    rooms: [first!, ...others],
    token: () => endpoint.token(follower.name),
    signal: over.signal,
  });
  const greeted = Promise.withResolvers<void>();
  let greetings = 0;
  const reading = (async () => {
    for await (const { type, method, params } of stream) {
      if (type === "connected" && ++greetings === follower.orders.length) greeted.resolve();
      if (method === "orderStatusChanged") follower.take(String(params[0]), params[1]);
    }
  })();
  reading.catch(greeted.reject);
  follower.leave = () => {
    over.abort();
    return reading;
  };
  await greeted.promise;
}
