// Stores of Svelte over the connections of `hubAt`. A store holds its room while something subscribes to it
// (`$presence` in a component), and opens nothing before, nor while a page is rendered on a server. They follow
// Svelte's store contract, which needs no code of Svelte, and work in every version of it.

import type { HandlersOf, Presence, RoomText, State } from "../client/index.ts";
import type { HubAt } from "../components/hub-at.ts";
import {
  isPage,
  presenceIn,
  readLive,
  startOf,
  STATE,
  watchHandlers,
  watchLive,
  type LiveValue,
  type RoomReference,
} from "../components/live-values.ts";
import { callsIn, type RoomCalls } from "../components/room-calls.ts";
import {
  roomHistory,
  type RoomHistory,
  type RoomHistoryOptions,
} from "../components/room-history.ts";
import { pickedState, runsIn } from "../components/shown-state.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, PresenceStateOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";

/** Svelte's store contract. */
export interface Readable<T> {
  /** Calls `run` with the value at once and after every change, until the returned function is called. */
  subscribe(run: (value: T) => void): () => void;
}

const storeOf = <H extends AnyHub, T>(
  room: RoomReference<H>,
  valueOf: () => LiveValue<H, T>,
): Readable<T> => ({
  subscribe(run) {
    const value = valueOf();
    let last = startOf(room, value);
    run(last);
    if (!isPage()) return () => {};
    const onChange = () => {
      const now = readLive(room, value);
      if (now !== last) run((last = now));
    };
    const end = watchLive(room, value, onChange);
    onChange();
    return end;
  },
});

/**
 * A room's calls, as a store of its state. While something subscribes, the handlers receive the room's messages.
 *
 * @example
 * const chat = roomStore(Chat, "group:lobby", { receiveMessage: (user, text) => lines.push(text) });
 * // {$chat.status} <button onclick={() => chat.invoke.sendToRoom("lobby", "hello")}>
 */
export function roomStore<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText,
  handlers: HandlersOf<H> = {},
): RoomCalls<H> & Readable<State> {
  const states = storeOf({ hub, room }, () => STATE);
  return {
    ...callsIn<H>({ hub, room }),
    subscribe(run) {
      const stop = states.subscribe(run);
      const end = isPage() ? watchHandlers({ hub, room }, handlers) : () => {};
      return () => {
        stop();
        end();
      };
    },
  };
}

/** The users in the room, kept up to date. */
export const presenceStore = <H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText,
): Readable<Presence<PresenceStateOf<H>>> => storeOf({ hub, room }, () => presenceIn<H>());

/** The newest messages of the room, from its history and then live: none missing, none twice. */
export const historyStore = <H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText,
  options: RoomHistoryOptions = {},
): Readable<RoomHistory<H>> => storeOf({ hub, room }, () => roomHistory<H>(options));

/**
 * The state of a room, or the part that `pick` returns, with the room's actions. Undefined before the first snapshot.
 */
export interface StateStore<H extends AnyHub, T> extends Readable<T | undefined> {
  readonly run: Runs<ActionsOf<H>>;
}

/**
 * The state of a room as a store, with the room's actions.
 *
 * @example
 * const vase = stateStore(Auctions, "group:vase");
 * // {$vase?.price} <button onclick={() => vase.run.bid(120)}>
 */
export function stateStore<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText,
): StateStore<H, ViewOf<H>>;
export function stateStore<H extends AnyHub, T>(
  hub: HubAt<H>,
  room: RoomText,
  pick: (state: ViewOf<H>) => T,
): StateStore<H, T>;
export function stateStore<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText,
  pick: (state: ViewOf<H>) => unknown = (state) => state,
): StateStore<H, unknown> {
  return { ...storeOf({ hub, room }, () => pickedState(pick)), run: runsIn({ hub, room }) };
}
