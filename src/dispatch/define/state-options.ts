// A hub's declaration of its rooms' state: `hub(…).state(kind, options)`.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Position, RoomKind } from "../../model/topic.ts";
import type { Awaitable } from "./policies.ts";

/** The types of a room with state: its value, the view of clients, and its internal actions. */
export interface RoomTypes {
  /** The methods that the hub may call on its clients. */
  readonly client: object;
  readonly kind: RoomKind;
  readonly state: unknown;
  readonly view: unknown;
  /** Internal actions, by name. */
  readonly internal: object;
}

/** A room of the stateful kind. */
export interface RoomName {
  readonly tenant: string;
  readonly kind: RoomKind;
  readonly name: string;
}

/** `I` and `T` are input and output of the schema, `V` is the view of clients. */
export interface StateOptions<I, T, V> {
  /**
   * The state: JSON without properties that are null. The schema must accept its own output, because the state is
   * validated again after every action and at every load. An asynchronous schema is refused.
   */
  readonly schema: StandardSchemaV1<I, T>;
  /** The state of a new room, and of one that was erased: a value, or made from the room's name. */
  readonly initial: NoInfer<T | ((name: RoomName) => T)>;
  /**
   * The part that clients get, as a copy. A pure and fast function, whose result is JSON like the state; called once
   * for each flush. `false`: clients get only the hub's messages. Default: the whole state.
   */
  readonly view?: ((state: Readonly<NoInfer<T>>) => V) | false;
  /**
   * The most frames a second: patches, messages and answers in between are saved and sent together, as one row and one
   * frame. For boards and games: 30. Default: at once, and under load whenever the event loop has drained.
   */
  readonly updatesPerSecond?: number;
  /**
   * `action`: after each; `load`: only values from storage, `load` or an import, for large states. Default: `action`.
   */
  readonly validate?: "action" | "load";
  /**
   * Steps from version 1 of the state to the present one. Their number determines the version: never change a deployed
   * step; add further ones after it.
   */
  readonly migrations?: readonly ((old: unknown) => unknown)[];
  /** SQL of the room's own tables: each text is run once in a room, in order, before anything else runs there. */
  readonly tables?: readonly string[];
  /**
   * Loads a state that is stored elsewhere: called on the first use of a room without a state, and by `reload()`;
   * `undefined` means `initial`. Callers wait, `loadSeconds` at most (then `unavailable`). Default: 10.
   */
  load?(name: RoomName, env: Cloudflare.Env): Awaitable<NoInfer<T> | undefined>;
  /**
   * Saves the newest state elsewhere, `saveSeconds` after a change (default: 1), at least once, one call at a time.
   * Positions only grow within an epoch, so that a store can refuse older ones. A failed call is repeated until one
   * succeeds; a call that takes 30 s has failed.
   */
  save?(saved: Saved<NoInfer<T>>, env: Cloudflare.Env): Awaitable<void>;
  /** Time limit of `load`, in seconds. Default: 10. */
  readonly loadSeconds?: number;
  /** Seconds between a change and its `save`. Default: 1. */
  readonly saveSeconds?: number;
}

/** The argument of `save`: the room, and its state after actions that changed it. */
export interface Saved<T> {
  readonly room: RoomName;
  /** `undefined`: the room was erased. */
  readonly state: T | undefined;
  /** The room's position at this state. */
  readonly position: Position;
  /** The version of the state: one more than the number of `migrations`. */
  readonly version: number;
}
