// A subscriber of one life: comes, is cut in every way, comes back, and leaves. Each protocol has its own.

import { parseTopic } from "../../../src/model/topic.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { Follower } from "./follower.ts";
import type { Site } from "./site.ts";
import type { TextFollower } from "./text-follower.ts";

/** `lost`: the network broke. `away`: its page loads again. `left`: for good. */
export type Parting = "lost" | "away" | "left";

/** The codes of Close frames; a lost client sends none. */
const CODES = { lost: 1001, away: 1001, left: 1000 } as const;

export interface Place {
  readonly name: string;
  readonly user: string;
  readonly rooms: readonly [string, ...string[]];
}

/** A way to the server that is open until it is gone: a socket or a stream. */
export interface Line {
  /** When it has ended on either side. */
  readonly gone: Promise<void>;
  readonly isGone: boolean;
  /** Nothing that comes afterwards counts. */
  drop(): void;
  close(code: number): void;
}

/** Done when the subscriber is in its rooms. */
export interface Entry {
  readonly line: Line;
  readonly entered: Promise<unknown>;
}

export abstract class Subscriber {
  readonly site: Site;
  readonly name: string;
  readonly user: string;
  readonly rooms: Place["rooms"];
  /** Whether it may publish by a method, and repeat that under a key. */
  abstract readonly speaks: boolean;
  abstract readonly repeats: boolean;
  /** What it has received, by room. */
  abstract readonly followers: ReadonlyMap<string, Follower | TextFollower>;
  /** The connection's id, once it is known. */
  id: string | undefined;
  #line: Line | undefined;
  #isIn = false;
  /** A later attempt, or a parting, ends those before. */
  #attempts = 0;

  constructor(site: Site, { name, user, rooms }: Place) {
    [this.site, this.name, this.user, this.rooms] = [site, name, user, rooms];
  }

  get isHere(): boolean {
    return this.#isIn && this.#line?.isGone === false;
  }

  /** The name of the object that holds the connection; undefined where it has none, or another at every moment. */
  get holder(): string | undefined {
    const { tenant, hub } = this.site;
    const relay = /@relay:(.+)$/.exec(this.id ?? "")?.[1];
    const place = relay === undefined ? { topic: parseTopic(this.rooms[0]) } : { relay };
    return this.#line && !this.#line.isGone ? objectName({ tenant, hub, ...place }) : undefined;
  }

  /** When its present line has ended. */
  get gone(): Promise<void> {
    return this.#line?.gone ?? Promise.resolve();
  }

  /** The connection by which others may exclude it. */
  get excludable(): string | undefined {
    return this.isHere ? this.id : undefined;
  }

  protected abstract open(): Promise<Entry>;

  #entering: Promise<void> = Promise.resolve();

  /** Comes, or comes back to where it was. Throws where it is refused, or lost meanwhile. */
  enter(): Promise<void> {
    const attempt = () => (this.isHere ? undefined : this.#attempt());
    this.#entering = this.#entering.then(attempt, attempt);
    return this.#entering;
  }

  async #attempt(): Promise<void> {
    const attempt = ++this.#attempts;
    this.#isIn = false;
    this.#line?.close(CODES.away);
    const { line, entered } = await this.open();
    if (attempt !== this.#attempts) line.close(CODES.away);
    else this.#line = line;
    await Promise.race([entered, line.gone]);
    if (line.isGone) throw new Error("Lost.");
    this.#isIn = true;
  }

  /** Nothing that comes afterwards counts. */
  async part(how: Parting): Promise<void> {
    this.#attempts += 1;
    const { holder, id } = this;
    this.#line?.drop();
    if (how === "lost" && holder !== undefined && id !== undefined)
      await this.site.lose(holder, id);
    this.#line?.close(CODES[how]);
  }

  /** A message that it publishes itself. False where it cannot, or where it is unknown what became of it. */
  say(_said: Said): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** A publication by a method of the hub. */
export interface Said {
  readonly room: string;
  readonly text: string;
  readonly key: string | undefined;
  /** Everybody in the room gets it, except the connection itself. */
  readonly toOthers: boolean;
}

/** A socket, whose frames come until it is gone. */
export class Wire implements Line {
  readonly socket: WebSocket;
  readonly gone: Promise<void>;
  isGone = false;
  #go!: () => void;

  constructor(socket: WebSocket, take: (data: string) => void) {
    this.socket = socket;
    this.gone = new Promise((resolve) => (this.#go = resolve));
    socket.addEventListener("message", ({ data }) => {
      if (!this.isGone) take(data as string);
    });
    socket.addEventListener("close", () => this.drop());
    socket.accept();
  }

  send(data: string): void {
    if (!this.isGone) this.socket.send(data);
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
