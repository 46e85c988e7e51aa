// L1 to L5 at once, by one user: what an attack is refused because of another is a fact, and no failure.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { resume } from "./l1-resume.ts";
import { uncounted } from "./l2-uncounted.ts";
import { births } from "./l3-births.ts";
import { history } from "./l4-history.ts";
import { held } from "./l5-held.ts";

const ALL = [resume, uncounted, births, history, held];

async function run(stage: Stage): Promise<Outcome> {
  const settled = await Promise.allSettled(ALL.map((attack) => attack.run(stage)));
  const ended = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const refused = settled.flatMap((one, i) =>
    one.status === "rejected" ? [`${ALL[i]!.name}: ${String(one.reason)}`] : [],
  );
  return {
    facts: [`${ended.length} of ${ALL.length} went to their end`, ...refused],
    failures: [],
    release: () => ended.forEach((outcome) => outcome.release?.()),
  };
}

export const together: Attack = {
  ...{ name: "L1-L5", title: "the five at once, by one user", isWatched: true, takes: 60, run },
};
