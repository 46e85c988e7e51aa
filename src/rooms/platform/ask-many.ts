// Asks many objects the same, a few at a time.

import { HubError, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";

/** More at once would only wait in line. */
const AT_ONCE = 32;

/** What each of them says, in their order. Throws when all were asked, `unavailable` where one could not be. */
export async function askMany<T>(
  names: readonly string[],
  ask: (name: string) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  const failed: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < names.length) {
      const at = next++;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a worker asks one after another
        answers[at] = await asked(ask, names[at]!);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failed.length > 0) throw failureOf(failed);
  return answers;
}

/** A second attempt needs a fresh stub, which `ask` makes: one whose object was reset is broken for good. */
async function asked<T>(ask: (name: string) => Promise<T>, name: string): Promise<T> {
  try {
    return await ask(name);
  } catch (error) {
    if (publicError(error).code !== "internal") throw error;
    return ask(name);
  }
}

function failureOf(failed: readonly unknown[]): HubError {
  const unreached = failed.filter((error) => publicError(error).code === "internal");
  if (unreached.length === 0) return publicError(failed[0]);
  logWarning("objects_unreached", { objects: unreached.length, error: unreached[0] });
  return new HubError("unavailable", "Some of the hub's objects could not be reached; try again.");
}
