// What operations cost, in exact numbers: one row, call or wake more fails here. `npm run bench -- counts` prints
// them, and with `--update` writes them to expected.ts.

import { afterEach, beforeEach, expect, it } from "vitest";
import { Tenant } from "./clients.ts";
import { restartClock, settled, stopClock } from "./clock.ts";
import { counter, type Counts } from "./counter.ts";
import { EXPECTED } from "./expected.ts";
import { LOADS } from "./loads.ts";
import { OPERATIONS } from "./operations.ts";

declare module "vitest" {
  interface TaskMeta {
    readonly title?: string;
    readonly counts?: Counts;
    /** Rows written, by statement. */
    readonly statements?: Counts;
  }
}

beforeEach(stopClock);
afterEach(restartClock);

/** Takes minutes: counted by the bench alone. */
const LONG = "a message each second for a minute, over a relay to a group of 50";
const isAll = import.meta.env["VITE_ALL_COUNTS"] === "1";

const ALL = [...OPERATIONS, ...LOADS]
  .filter(({ title }) => isAll || title !== LONG)
  .map((one) => [one.title, one] as const);

it.for(ALL)("%s", { timeout: 300_000 }, async ([title, { prepare }], { task }) => {
  const run = await prepare(new Tenant(title));
  await settled();
  counter.begin();
  await run();
  await settled();
  const { counts, statements } = counter;
  Object.assign(task.meta, { title, counts, statements });
  expect(counts).toEqual(EXPECTED[title]);
});
