// Access of hub code and clients to states of rooms: of the object's own room by a function call, of others by RPC.

import { HubError } from "../../model/errors.ts";
import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { unlessRefused } from "../rpc/fault.ts";
import { retryOnce } from "../rpc/retry-once.ts";
import type { Run, Snapshot } from "../rpc/state-rpc.ts";
import type { RunOutcome, StateAccess } from "./host.ts";
import type { LocalState } from "./local-room.ts";
import type { ObjectParts } from "./object-parts.ts";

export class ObjectStates implements StateAccess {
  readonly #parts: ObjectParts;

  constructor(parts: ObjectParts) {
    this.#parts = parts;
  }

  /**
   * Elsewhere the run comes after all earlier publications of this object there. It has a key, so that a second attempt
   * is harmless: the room runs a key once.
   */
  async run(topic: Topic, run: Run, caller?: Connection): Promise<RunOutcome> {
    const own = this.#own(topic);
    if (own) return own.run(run);
    const { followed, lanes, room } = this.#parts;
    await lanes().settled(topic);
    const keyed = { ...run, key: run.key ?? crypto.randomUUID() };
    const ran = unlessRefused(await retryOnce(() => room(topic).runAction(keyed)));
    if (caller) await followed.undelivered.delivered(caller, formatTopic(topic), ran.position);
    return ran;
  }

  async runAndSave(topic: Topic, run: Run, caller?: Connection): Promise<RunOutcome> {
    const { ticket, ...ran } = await this.run(topic, run, caller);
    if (ticket) await this.#own(topic)!.untilSaved();
    if (ticket?.error) throw ticket.error;
    return ran;
  }

  async state(topic: Topic): Promise<Snapshot> {
    const own = this.#own(topic);
    if (!own) return unlessRefused(await retryOnce(() => this.#parts.room(topic).wholeState()));
    return wholeOf(own);
  }

  async view(topic: Topic): Promise<Snapshot> {
    const own = this.#own(topic);
    if (!own) return unlessRefused(await retryOnce(() => this.#parts.room(topic).viewedState()));
    return viewOf(own);
  }

  async reload(topic: Topic): Promise<Position> {
    const own = this.#own(topic);
    if (own) return own.transfer.reload();
    return unlessRefused(await retryOnce(() => this.#parts.room(topic).reloadState()));
  }

  /** The state of this object's own room, if the topic is its topic. Throws `method_not_found` if it has none. */
  #own(topic: Topic): LocalState | undefined {
    const { own } = this.#parts;
    if (!own || formatTopic(topic) !== own.name) return undefined;
    return own.state ?? noState();
  }
}

/** The whole state, once it is in memory. */
export async function wholeOf(state: LocalState): Promise<Snapshot> {
  await state.ready();
  return state.whole();
}

/** The state that clients see. Throws `method_not_found` if they see none. */
export async function viewOf(state: LocalState): Promise<Snapshot> {
  await state.ready();
  const view = state.view();
  if (!view) throw new HubError("method_not_found", "Clients see no state of this room.");
  return view;
}

export function noState(): never {
  throw new HubError("method_not_found", "This room has no state.");
}
