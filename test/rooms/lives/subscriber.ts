// A subscriber of one life: comes, is cut in every way, comes back, and leaves. Each protocol has its own.

import type { Follower } from "./follower.ts";
import type { Site } from "./site.ts";

/** `lost`: the network broke. `away`: its page loads again. `left`: for good. */
export type Parting = "lost" | "away" | "left";

/** The codes of Close frames; a lost client sends none. */
export const CODES = { lost: 1001, away: 1001, left: 1000 } as const;

export interface Here {
  /** The connection's id, once it is known. */
  readonly id: string | undefined;
  /** The name of the object that holds the connection. */
  readonly holder: string;
}

export abstract class Subscriber {
  readonly site: Site;
  readonly name: string;
  readonly user: string;
  /** What it has received, by room. */
  abstract readonly followers: ReadonlyMap<string, Follower>;

  constructor(site: Site, { name, user }: Pick<Subscriber, "name" | "user">) {
    [this.site, this.name, this.user] = [site, name, user];
  }

  /** Undefined while it is not connected. */
  abstract readonly here: Here | undefined;
  /** Comes, or comes back to where it was. Throws where it is refused, or lost meanwhile. */
  abstract enter(): Promise<void>;
  /** Nothing that comes afterwards counts. */
  abstract part(how: Parting): Promise<void>;
}

/** A socket, whose frames come until it is gone. */
export class Wire {
  readonly socket: WebSocket;
  /** When the socket has closed, or was cut. */
  readonly gone: Promise<void>;
  isGone = false;
  #go!: () => void;

  constructor(socket: WebSocket, take: (data: string | ArrayBuffer) => void) {
    this.socket = socket;
    this.gone = new Promise((resolve) => (this.#go = resolve));
    socket.addEventListener("message", ({ data }) => {
      if (!this.isGone) take(data as string | ArrayBuffer);
    });
    socket.addEventListener("close", () => this.drop());
    socket.binaryType = "arraybuffer";
    socket.accept();
  }

  drop(): void {
    this.isGone = true;
    this.#go();
  }

  close(code: number): void {
    this.drop();
    try {
      this.socket.close(code);
    } catch {
      // Closed already.
    }
  }
}
