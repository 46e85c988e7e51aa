// The same call to many objects, a few at a time.

import { HubError, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { retryOnce } from "./retry-once.ts";

/** The most calls that run at once; the runtime would queue more. */
const CONCURRENCY = 32;

/**
 * Resolves with the answers in the order of `names`. A call that fails with an unexpected error is repeated once, unless
 * its object is overloaded: `ask` must allow that, and make a fresh stub. Rejects after all calls: with `unavailable` if
 * an object could not be reached, else with the first error of the others.
 */
export async function askMany<T>(
  names: readonly string[],
  ask: (name: string) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < names.length) {
      const at = next++;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a worker asks one after another
        answers[at] = await retryOnce(() => ask(names[at]!));
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (errors.length > 0) throw failureOf(errors);
  return answers;
}

function failureOf(errors: readonly unknown[]): HubError {
  const unreachable = errors.map(publicError).filter(({ code }) => code === "unavailable");
  if (unreachable.length === 0) return publicError(errors[0]);
  const { cause: error } = unreachable[0]!;
  logWarning("objects_unreached", { objects: unreachable.length, error });
  return new HubError("unavailable", "Some of the hub's objects could not be reached; try again.");
}
