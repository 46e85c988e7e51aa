// A hub's declaration of its rooms' state: `hub(…).state(kind, options)`.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Position, RoomKind } from "../../model/topic.ts";
import type { Awaitable } from "./policies.ts";

/** The types of a room with state: its value, what clients see of it, what it runs by itself. */
export interface RoomTypes {
  /** The methods that the hub may call on its clients. */
  readonly client: object;
  readonly kind: RoomKind;
  readonly state: unknown;
  readonly view: unknown;
  /** Actions that only the room itself runs, by name. */
  readonly internal: object;
}

/** A room of the stateful kind. */
export interface RoomName {
  readonly tenant: string;
  readonly kind: RoomKind;
  readonly name: string;
}

/** `I` and `T` are input and output of the schema, `V` is what clients see. */
export interface StateOptions<I, T, V> {
  /**
   * The state: JSON without properties that are null. The schema must take what it gives, because the state is
   * validated again after every action and at every load. A schema that validates asynchronously is refused.
   */
  readonly schema: StandardSchemaV1<I, T>;
  /** The state of a new room, and of one that was erased: a value, or made from the room's name. */
  readonly initial: NoInfer<T> | ((name: RoomName) => NoInfer<T>);
  /**
   * The part that clients hold a copy of. Pure, fast, and JSON like the state; called once a flush. `false`: clients
   * see nothing but the hub's messages. Default: all of the state.
   */
  readonly view?: ((state: Readonly<NoInfer<T>>) => V) | false;
  /**
   * How often the room sends at most: patches, messages and answers of a while leave together, as one row and one
   * frame. For boards and games: 30. Default: at once, and under load whenever the loop has drained.
   */
  readonly updatesPerSecond?: number;
  /**
   * `action`: after each; `load`: only values from storage, `load` or an import, for large states. Default: `action`.
   */
  readonly validate?: "action" | "load";
  /**
   * Steps from the state of version 1 of the hub to the present one. Their number is the version: one that was deployed
   * is never changed; further ones are added after it.
   */
  readonly migrations?: readonly ((old: unknown) => unknown)[];
  /** SQL of the room's own tables: each text is run once in a room, in order, before anything else runs there. */
  readonly tables?: readonly string[];
  /**
   * State that lives elsewhere: called on the first use of a room that holds none, and by `reload()`; `undefined` is
   * `initial`. Callers wait meanwhile, `loadSeconds` at most (then `unavailable`). Default: 10.
   */
  load?(name: RoomName, env: Cloudflare.Env): Awaitable<NoInfer<T> | undefined>;
  /**
   * Write-behind: the newest state, `saveSeconds` after a change, at least once, one at a time; positions only grow
   * within an epoch, so that a store can refuse older ones. A failure is tried again until it succeeds; one that takes
   * 30 s has failed. Default: 1.
   */
  save?(saved: Saved<NoInfer<T>>, env: Cloudflare.Env): Awaitable<void>;
  readonly loadSeconds?: number;
  readonly saveSeconds?: number;
}

/** The argument of `save`: the room, and its state after actions that changed it. */
export interface Saved<T> {
  readonly room: RoomName;
  /** `undefined`: the room was erased. */
  readonly state: T | undefined;
  readonly position: Position;
  readonly version: number;
}
