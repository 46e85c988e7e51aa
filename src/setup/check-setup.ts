// The configuration of a running worker, checked as a whole at the first request of each isolate.

import { Refusal } from "../auth/auth-refusal.ts";
import { isDevelopment, isLoopback } from "../model/environment.ts";
import { logError, logWarning } from "../model/logger.ts";
import { runningFacts } from "./running-facts.ts";
import { described, list, type Problem } from "./problem.ts";
import { problemsOf } from "./rules.ts";

/**
 * Returns where the worker is configured. Otherwise throws `misconfigured`: in development its message has all problems
 * and the lines that mend them, elsewhere those are in the log alone. One line is logged for each environment, which is
 * one for each isolate; `url` is that of the request, absent for code of the same worker.
 */
export function checkSetup(env: object, url?: string): void {
  const problems = CHECKED.get(env) ?? check(env);
  if (problems.length === 0) return;
  const isLocal = url !== undefined && isLoopback(new URL(url).hostname);
  const isShown = isLocal || isDevelopment(env);
  throw new Refusal("misconfigured", isShown ? { message: messageOf(problems), action: MEND } : {});
}

const MEND = "Mend what the message names. `npx dormouse check` finds the same before a deploy.";

const texts = (problems: readonly Problem[]): string[] =>
  problems.map((problem) => described(problem));

/** The errors of each environment. */
const CHECKED = new WeakMap<object, readonly Problem[]>();

function check(env: object): readonly Problem[] {
  const all = problemsOf(runningFacts(env));
  const of = (wanted: Problem["level"]) => all.filter(({ level }) => level === wanted);
  const [errors, advice] = [of("error"), of("advice")];
  if (errors.length > 0) logError("misconfigured", { problems: texts(errors) });
  if (advice.length > 0) logWarning("configuration_advice", { problems: texts(advice) });
  CHECKED.set(env, errors);
  return errors;
}

const messageOf = (problems: readonly Problem[]): string =>
  `The worker is misconfigured. Problems: ${problems.length}.\n\n${list(problems)}\n`;
