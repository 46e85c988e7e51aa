// Selects the connections that an object ends when its memory is spent: those that hold most, because refusing new
// requests does not free memory. Their clients reconnect.
//
//   · Outgoing: bytes in the runtime's queue of each socket, and frames that clients have not confirmed or polled.
//     Checked each time `heldByUser` bytes were written, so that single messages cost nothing.
//   · Incoming: when the object's budget (held-bytes.ts) is spent.

import { CLOSE, type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { accountOf, isGuest } from "../../model/user.ts";
import type { Connection } from "./connection.ts";
import { HeldBytes } from "./held-bytes.ts";
import { queuedBytes } from "./socket-queue.ts";

type HeldLimits = Pick<Limits, "heldByUser" | "heldByObject">;

/** The memory of frames to one connection. */
interface Outgoing {
  readonly connection: Connection;
  readonly bytes: number;
}

interface Ending {
  readonly all: ReadonlySet<Connection>;
  close(connection: Connection, why: CloseCode): void;
}

/** The object's account of memory, which ends the connections that spend it. */
export class Greediest extends HeldBytes {
  readonly #connections: Ending;
  readonly #bounds: Limits;
  #isDue = false;

  constructor(connections: Ending, limits: Limits) {
    super(limits, () => this.#soon());
    this.#connections = connections;
    this.#bounds = limits;
  }

  /** Ends connections with too many waiting bytes. Called when more than `heldByUser` was written since. */
  check(): void {
    this.written = 0;
    for (const connection of connectionsOverBudget(this.#connections.all, this.#bounds))
      this.#connections.close(connection, CLOSE.slow);
  }

  /** Ends the connection with the largest input, but not during the receipt of a message, which may be its own. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      const connection = greediestInput(this.#connections.all, this.#bounds);
      if (connection) this.#connections.close(connection, CLOSE.busy);
    });
  }
}

/** The connections to end so that each user, and the object, are within their budgets: the largest first. */
export function connectionsOverBudget(
  all: Iterable<Connection>,
  { heldByUser, heldByObject }: HeldLimits,
): readonly Connection[] {
  const each = [...all]
    .map((connection) => ({ connection, bytes: outgoingOf(connection) }))
    .filter(({ bytes }) => bytes > 0);
  const users = Map.groupBy(each, ({ connection }) => accountOf(connection.user)).values();
  // The guests of a network have the object's bound, because they are many people, as in held-bytes.ts.
  const mostOf = ([one]: readonly Outgoing[]) =>
    isGuest(one!.connection.user) ? heldByObject : heldByUser;
  const ended = new Set([...users].flatMap((user) => greediest(user, mostOf(user))));
  const rest = each.filter((one) => !ended.has(one));
  const ofObject = sumOf(rest) > heldByObject ? greediest(...alone(rest, heldByObject)) : [];
  return [...ended, ...ofObject].map(({ connection }) => connection);
}

const outgoingOf = (connection: Connection): number =>
  queuedBytes(connection) + connection.held.frames;

const sumOf = (all: readonly Outgoing[]): number => all.reduce((sum, { bytes }) => sum + bytes, 0);

/** The largest ones, as many as needed until the others are within the bound. */
function greediest(all: readonly Outgoing[], most: number): readonly Outgoing[] {
  let sum = sumOf(all);
  const ended: Outgoing[] = [];
  for (const one of all.toSorted((a, b) => b.bytes - a.bytes)) {
    if (sum <= most) break;
    ended.push(one);
    sum -= one.bytes;
  }
  return ended;
}

/**
 * Counts only frames that one connection waits for. A frame of a room is one text for all its connections: its size
 * counts for none of them, and lowers the bound.
 */
function alone(all: readonly Outgoing[], most: number): [alone: readonly Outgoing[], most: number] {
  const holders = new Map<Encoded, number>();
  for (const { connection } of all)
    for (const frame of keptFor(connection)) holders.set(frame, (holders.get(frame) ?? 0) + 1);
  let shared = 0;
  for (const [frame, count] of holders) if (count > 1) shared += frame.length;
  const own = all.map(({ connection }) => {
    const frames = keptFor(connection).filter((frame) => holders.get(frame) === 1);
    const bytes = frames.reduce((sum, { length }) => sum + length, queuedBytes(connection));
    return { connection, bytes };
  });
  return [own, most - shared];
}

const keptFor = ({ resumable, stage }: Connection): readonly Encoded[] => [
  ...(resumable?.unconfirmed ?? []),
  ...(stage.name === "greeting" ? stage.held : []),
];

/**
 * The connection whose input holds most; undefined if all hold little, so that no single one is the cause.
 */
function greediestInput(
  all: Iterable<Connection>,
  { heldByConnection }: Pick<Limits, "heldByConnection">,
): Connection | undefined {
  let most: Connection | undefined;
  for (const connection of all)
    if (connection.held.held > (most?.held.held ?? heldByConnection * LITTLE)) most = connection;
  return most;
}

const LITTLE = 1 / 2;
