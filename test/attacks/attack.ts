// What an attack is, and what its run tells.

import type { CrowdSize, Seen } from "./crowd.ts";
import type { Server } from "./server.ts";

export interface Stage {
  readonly server: Server;
  /** The checkout that is attacked. */
  readonly root: string;
  /** Seconds for which attacks that have no end of their own go on. */
  readonly seconds: number;
  readonly crowd: CrowdSize;
}

export interface Outcome {
  /** Short findings, for the table. */
  readonly facts: readonly string[];
  /** Bounds that were broken. */
  readonly failures: readonly string[];
  /** Lets go of what the attack makes the server hold; the heap is read before. */
  release?(): void;
}

export interface Attack {
  readonly name: string;
  readonly title: string;
  /** Whether bystanders look on, and their p99 and the memory are judged. */
  readonly isWatched: boolean;
  /** Nothing is judged: it shows what the engine alone costs. */
  readonly isFloor?: true;
  /** About how long it takes, seconds. */
  readonly takes: number;
  readonly vars?: Readonly<Record<string, string>>;
  run(stage: Stage): Promise<Outcome>;
}

export interface Memory {
  readonly resident: number;
  /** Alive in the isolate, after a collection. */
  readonly alive: number;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly calm?: Seen;
  readonly under?: Seen;
  readonly before?: Memory;
  /** `resident` is the highest during the attack, `alive` what was held at its end. */
  readonly held?: Memory;
  readonly facts: readonly string[];
  readonly failures: readonly string[];
  readonly isFloor?: true;
}
