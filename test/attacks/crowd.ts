// Bystanders of an attack: 200 on one relay, to whom 50 messages a second come.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Server } from "./server.ts";

export interface CrowdSetup {
  /** URLs of the members' sockets, whole hubs each. */
  readonly members: readonly string[];
  readonly publishers: readonly string[];
  readonly room: string;
  readonly perSecond: number;
  /** Of each message's padding. */
  readonly bytes: number;
}

export type Asked = CrowdSetup | "look";

/** Milliseconds from the time at which a message was due until it came. */
export interface Seen {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Deliveries that did not come within eight seconds. */
  readonly missing: number;
  /** Bystanders' sockets that have ended so far. */
  readonly closed: number;
  /** The 99th percentile of each second: which part of an attack costs. */
  readonly seconds: readonly number[];
}

export interface CrowdSize {
  readonly members?: number;
  readonly perSecond?: number;
  readonly bytes?: number;
  /** Whether members have sockets on the room itself, in place of a relay. */
  readonly isDirect?: boolean;
}

export const LOBBY = "lobby";
const ROOM = `parties/hall/group:${LOBBY}`;

export class Crowd implements Disposable {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async enter(server: Server, size: CrowdSize = {}): Promise<Crowd> {
    const { members = 200, perSecond = 50, bytes = 80, isDirect = false } = size;
    const child = fork(join(import.meta.dirname, "crowd-process.ts"), {
      serialization: "advanced",
    });
    const base = `ws://127.0.0.1:${server.port}`;
    child.send({
      ...{ room: LOBBY, perSecond, bytes },
      members: Array.from(
        { length: members },
        (_, i) =>
          `${base}/${isDirect ? ROOM : "hubs/hall/rpc"}?access_token=${server.token(`bystander-${i}`)}`,
      ),
      // A connection may call 50 times a second.
      publishers: Array.from(
        { length: Math.ceil(perSecond / 25) },
        (_, i) => `${base}/${ROOM}?access_token=${server.token(`publisher-${i}`)}`,
      ),
    } satisfies CrowdSetup);
    const [answer] = (await once(child, "message")) as [string];
    if (answer !== "ready") throw new Error(answer);
    return new Crowd(child);
  }

  /** Since the last time, or since the beginning. */
  async look(): Promise<Seen> {
    this.#process.send("look");
    const [seen] = (await once(this.#process, "message")) as [Seen];
    return seen;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}
