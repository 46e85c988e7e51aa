// Which connections an object ends so that it lives on: those that make it hold most, where refusing something new
// gives no memory back. Both ends are followed by a reconnect.
//
//   · Outgoing: what waits in the runtime's queue of each socket, and frames that clients have not confirmed or polled.
//     Looked at once so much was written that it could matter: no message pays for it.
//   · Incoming: where the object's budget (held-bytes.ts) is spent.

import { CLOSE, type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { accountOf, isGuest } from "../../model/user.ts";
import type { Connection } from "./connection.ts";
import { HeldBytes } from "./held-bytes.ts";
import { queuedBytes } from "./socket-queue.ts";

type HeldLimits = Pick<Limits, "heldByUser" | "heldByObject">;

/** The memory that one connection uses in the object. */
interface Outgoing {
  readonly connection: Connection;
  readonly bytes: number;
}

interface Ending {
  readonly all: ReadonlySet<Connection>;
  close(connection: Connection, why: CloseCode): void;
}

/** The object's account, and its end of those who spend it. */
export class Greediest extends HeldBytes {
  readonly #connections: Ending;
  readonly #bounds: Limits;
  #isDue = false;

  constructor(connections: Ending, limits: Limits) {
    super(limits, () => this.#soon());
    this.#connections = connections;
    this.#bounds = limits;
  }

  /** More than one user's readers may leave (`heldByUser`) was written since the last look: some may wait. */
  check(): void {
    this.written = 0;
    for (const connection of connectionsOverBudget(this.#connections.all, this.#bounds))
      this.#connections.close(connection, CLOSE.slow);
  }

  /** Not while a message is being taken, which may be of the connection that ends. */
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

/** Connections whose end brings each user, and the object, back into their budgets: the greediest first. */
export function connectionsOverBudget(
  all: Iterable<Connection>,
  { heldByUser, heldByObject }: HeldLimits,
): readonly Connection[] {
  const each = [...all]
    .map((connection) => ({ connection, bytes: outgoingOf(connection) }))
    .filter(({ bytes }) => bytes > 0);
  const users = Map.groupBy(each, ({ connection }) => accountOf(connection.user)).values();
  // Guests of one network are many people, as in held-bytes.ts.
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

/** As many of the largest as it takes until the others are within the bound. */
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
 * A room's frame is one text, however many wait for it: it is no connection's, and its size is taken from the bound.
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
 * The connection whose input holds most; undefined where all hold little, so that nobody in particular is the cause.
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
