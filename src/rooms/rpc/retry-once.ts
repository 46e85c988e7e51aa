// Calls to objects that may be reset during the call: by a crash, a deploy, or a move to another machine.

import { HubError, publicError } from "../../model/errors.ts";

/**
 * Makes the call, and repeats it once after an unexpected error, unless the object is overloaded. `call` must allow
 * that, and needs a fresh stub each time: a stub whose object was reset is broken for good. Throws `unavailable` if
 * both fail.
 */
export async function retryOnce<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (publicError(error).code !== "internal") throw error;
    if ((error as { overloaded?: boolean }).overloaded) throw unavailable(error);
  }
  try {
    return await call();
  } catch (error) {
    throw publicError(error).code === "internal" ? unavailable(error) : error;
  }
}

const unavailable = (cause: unknown): HubError =>
  new HubError("unavailable", "The room could not be reached; try again.", { cause });
