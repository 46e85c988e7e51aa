// What a connection is of, a room or a whole hub: what it says of itself when it comes, and what it makes of what it hears.

import type { HubError } from "../../model/errors.ts";
import type { Listener } from "../session/emitter.ts";
import type { Frame, Greeting } from "../transport/wire.ts";

export interface Place {
  /** What the next attempt says of itself. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The server has said hello: what is asked here goes out before what waits. */
  greet(hello: Greeting): void;
  /** The server took this connection out of a room. */
  forget(room: string): void;
  /** False for what was heard before. */
  hears(frame: Frame): boolean;
}

/** What a place needs of its connection. */
export interface Around {
  readonly ask: (method: string, query: object) => Promise<unknown>;
  readonly recovered: Listener<Recovered>;
  readonly reload: Listener<{ readonly room: string }>;
  readonly failed: Listener<HubError>;
}

/** A room that a fresh token does not admit: it is heard no more, and not resumed. */
export interface Left {
  readonly room: string;
  readonly reason: string;
}

/** Nothing was missed in this room: `replayed` messages follow, or have just come. */
export interface Recovered {
  readonly room: string;
  readonly replayed: number;
}
