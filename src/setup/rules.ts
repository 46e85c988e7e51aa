// All rules of a worker's configuration, once: the server applies them at its first request, `dormouse check` before a
// deploy. Rules of files find nothing where no files are known.

import { bindings, classes, exported } from "./binding-rules.ts";
import type { Facts } from "./facts.ts";
import { assets, logs, secrets } from "./file-rules.ts";
import { compatibilityDate, compatibilityFlags } from "./platform-rules.ts";
import type { Problem } from "./problem.ts";
import { rate, switches, types, values } from "./variable-rules.ts";

type Rule = (facts: Facts) => readonly Problem[];

const RULES: readonly Rule[] = [
  ...[bindings, classes, exported],
  ...[compatibilityDate, compatibilityFlags],
  ...[values, types, switches, rate],
  ...[secrets, assets, logs],
];

/** All problems, those that refuse requests first. */
export function problemsOf(facts: Facts): readonly Problem[] {
  const all = RULES.flatMap((rule) => rule(facts));
  const of = (wanted: Problem["level"]) => all.filter(({ level }) => level === wanted);
  return [...of("error"), ...of("advice")];
}
