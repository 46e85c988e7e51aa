// An object's counts in the attachment of one of its sockets, until a report has them (last-report.ts). An
// attachment survives sleep, and costs no row.

import { attachWithin } from "../connection/attachment.ts";
import { type Connection, save } from "../connection/connection.ts";
import { isOpen } from "../connection/stage.ts";
import type { KeptCounts } from "../rpc/activity-report.ts";
import type { CountsKeeper } from "./last-report.ts";

/** Bytes of an attachment with counts: the token and the items of its connection may still grow beside them. */
const FITTING_BYTES = 8_192;
/** Connections that are tried. Where their attachments are all large, the others' are as well. */
const TRIED_AT_MOST = 5;

export class AttachedCounts implements CountsKeeper {
  readonly #connections: { readonly all: ReadonlySet<Connection> };
  /** Which had them last, maybe in an earlier wake. */
  #lastHolder: Connection | undefined;

  /** Of one object: its connections, those that survived its sleep among them. */
  constructor(connections: { readonly all: ReadonlySet<Connection> }) {
    this.#connections = connections;
    for (const connection of connections.all)
      if (countsOf(connection)) {
        this.#lastHolder = connection;
        break;
      }
  }

  get #holder(): Connection | undefined {
    const holder = this.#lastHolder;
    return holder && this.#connections.all.has(holder) && countsOf(holder) ? holder : undefined;
  }

  get counts(): KeptCounts | undefined {
    return this.#holder && countsOf(this.#holder);
  }

  /** Replaces what is kept. False where no attachment has room for it: none has any then. */
  keep(counts: KeptCounts): boolean {
    const before = this.#holder;
    const holder = before && put(before, counts) ? before : this.#putBeside(counts);
    if (before && before !== holder) save(before, { counts: undefined });
    this.#lastHolder = holder;
    return holder !== undefined;
  }

  #putBeside(counts: KeptCounts): Connection | undefined {
    let left = TRIED_AT_MOST;
    for (const connection of this.#connections.all)
      if (left-- === 0) break;
      else if (put(connection, counts)) return connection;
    return undefined;
  }
}

export const countsOf = ({ attached }: Connection): KeptCounts | undefined =>
  attached.counts as KeptCounts | undefined;

/** False without room. A connection that may be resumed has its attachment in a row as well, and gets none. */
function put(connection: Connection, counts: KeptCounts): boolean {
  const { resumable, socket } = connection;
  if (!socket || resumable || !isOpen(connection)) return false;
  const attached = { ...connection.attached, counts };
  const isPut = attachWithin(FITTING_BYTES, socket, attached);
  if (isPut) connection.attached = attached;
  return isPut;
}
