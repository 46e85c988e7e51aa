// The way of stock JSON-RPC libraries to a whole hub: a bare WebSocket at `/hubs/{hub}/rpc`, and how a test keeps what
// a library hands it.

import { expect } from "vitest";
import { WebSocket } from "ws";
import type { Endpoint } from "../../support/endpoint.ts";
import { within } from "../client.ts";

export interface Visit {
  readonly endpoint: Endpoint;
  readonly hub: string;
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
}

/** Not open yet: so a library that listens at once misses nothing. */
export async function rpcSocket({ endpoint, hub, user = "alice", claims }: Visit) {
  const token = await endpoint.token(user, claims);
  return new WebSocket(`ws://127.0.0.1:${endpoint.port}/hubs/${hub}/rpc?access_token=${token}`);
}

/** Where the caller of a library's handler finds what it was given. */
export class Inbox<T> {
  /** In order. */
  readonly all: T[] = [];
  #read = 0;
  #wake: () => void = () => {};

  readonly add = (one: T): void => {
    this.all.push(one);
    this.#wake();
  };

  /** The next one that matches; those before it are passed over. */
  async next(what: string, matches: (one: T) => boolean = () => true): Promise<T> {
    for (;;) {
      while (this.#read < this.all.length) {
        const one = this.all[this.#read++]!;
        if (matches(one)) return one;
      }
      const more = new Promise<void>((wake) => (this.#wake = wake));
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await within(more, what, () => JSON.stringify(this.all.slice(-5)));
    }
  }
}

/** What a room says, as it stands on the wire: its place beside the params. */
export interface Heard {
  readonly method: string;
  readonly params?: unknown;
  readonly room?: string;
  readonly position?: string;
}

export const POSITION = expect.stringMatching(/^[\w-]+:\d+$/);
