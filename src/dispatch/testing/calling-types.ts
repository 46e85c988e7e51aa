// Types of `calling`: its options and its result.

import type { User } from "../../model/user.ts";
import type { Answers, AnyHub } from "../define/hub-definition.ts";
import type { HubCalls } from "../define/hub-types.ts";
import type { Sending } from "./recording.ts";

/** The circumstances of the calls. */
export interface Setting<C> {
  /** The caller; `null`: no user. Default: `alice` of the tenant `default`, without roles, claims and capabilities. */
  readonly user?: Partial<User> | null;
  /**
   * The result of each client method, valid or not. Default: none; a client method without a result fails with
   * `timed_out`.
   */
  readonly answers?: { readonly [K in keyof Answers<C>]?: unknown };
  /**
   * The room, as a topic, that the connection is attached to and present in. Default: `all`, which has no name: a
   * method that publishes to `clients.group(room.name)` needs a group here.
   */
  readonly room?: string;
  /** User ids in the presence of the hub's `all` room. Default: none. */
  readonly online?: readonly string[];
  /** `context.env`: the bindings that the hub uses, real or not. Default: none. */
  readonly env?: TestEnv;
}

/** Bindings of the worker, by name. Values are the test's: a fake has what the hub calls. */
export type TestEnv = { readonly [K in keyof Cloudflare.Env]?: unknown };

/**
 * Runs the hooks of the hub; does nothing if the hub has no such hook. Rooms are topics. `joined` and `left` first
 * change the room's presence, as rooms do. Each rejects with the hook's error.
 */
export interface Hooks {
  connected(): Promise<void>;
  disconnected(error?: Error): Promise<void>;
  joined(userId: string, room: string): Promise<void>;
  left(userId: string, room: string): Promise<void>;
  presenceChanged(room: string): Promise<void>;
}

/** A hub in memory, for its one caller. */
export interface Called<H extends AnyHub> extends Omit<HubCalls<H, Uint8Array>, "send"> {
  /** The messages that the hub has sent so far, in order. The array grows with every call. */
  readonly sent: readonly Sending[];
  /** The rooms that hub code has joined the caller to, as topics. */
  readonly joined: readonly string[];
  readonly hooks: Hooks;
  /** The promises that hub code has passed to `waitUntil` so far. */
  readonly background: readonly Promise<unknown>[];
  /** Aborts the `signal` of every call, as when the connection ends. */
  stop(): void;
  /** Whether the hub has closed the connection by `abort`. */
  readonly ended: boolean;
}
