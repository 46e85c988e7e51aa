// The platform in every context of hub code: the worker's bindings, and work that continues after the code has ended.

import { logError } from "../../model/logger.ts";

declare global {
  // Merged with the declaration that `wrangler types` writes. Empty if there is none, as in the build of a page.
  namespace Cloudflare {
    interface Env {}
  }
}

/** A part of every context. */
export interface Runtime {
  /**
   * The bindings, variables and secrets of the worker. `wrangler types` writes their types (`Cloudflare.Env`) from
   * wrangler.toml. The same in the worker, where policies of connections and feeds run, and in its objects.
   */
  readonly env: Cloudflare.Env;
  /**
   * Runs work in the background: the caller is answered meanwhile. Its error is logged (`wait_until_failed`), with the
   * hub and the method. The object stays in memory, and is billed, until the work is done, for 15 minutes at most; in
   * the worker the platform ends it 30 s after the answer. A crash or a deploy loses it: store important work first.
   *
   * While `limits.queuedCalls` (100) works of a connection are under way, its further calls fail with `rate_limited`.
   */
  waitUntil(work: Promise<unknown>): void;
}

/** Where hub code runs: an object, or the worker with a request. */
export interface Place {
  /** The bindings, as the platform has them. */
  readonly env: object;
  waitUntil(work: Promise<unknown>): void;
}

/** The code that starts work, for the log. */
export interface Origin {
  readonly hub: string;
  /** A method of the hub, a hook, `policy`, or the path of a feed. */
  readonly method: string;
}

/** The runtime of one call of hub code. */
export const runtimeAt = (place: Place, origin: Origin): Runtime => ({
  env: envOf(place),
  waitUntil: (work) => place.waitUntil(logged(work, origin)),
});

/** The context of a hub's policies, in addition to their call. */
export const policyRuntime = (place: Place, { name: hub }: { readonly name: string }): Runtime =>
  runtimeAt(place, { hub, method: "policy" });

/** The bindings, with the types of the worker's own declaration. */
export const envOf = ({ env }: Pick<Place, "env">): Cloudflare.Env => env as Cloudflare.Env;

/** The work itself. Rejects for a function, which code without types may give, and which would never run. */
export async function promiseOf(work: unknown): Promise<unknown> {
  if (typeof work === "function") throw new TypeError("waitUntil takes a promise: call it.");
  return work;
}

/** Never rejects: an error is logged. */
export const logged = async (work: Promise<unknown>, origin: Origin): Promise<void> => {
  try {
    await promiseOf(work);
  } catch (error) {
    logError("wait_until_failed", { ...origin, error });
  }
};
