// Whether a token's `caps` grant a right in a topic. Grants only; a room's own policies are elsewhere.

import type { Capability, Right, User } from "./user.ts";

/** Whether any capability of the user grants the right in the topic, given in its canonical text. */
export const allows = (user: Pick<User, "caps">, right: Right, topicText: string): boolean =>
  user.caps.some((cap) => cap.allow.includes(right) && covers(cap, topicText));

const covers = ({ channels, match }: Capability, topicText: string): boolean =>
  match === "wildcard"
    ? channels.some((pattern) => matchesWildcard(pattern, topicText))
    : channels.includes(topicText);

/** `*` is a run, perhaps empty, without `:` `.` or `/`; `**` is any run; everything else is itself. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === text;
  if (!text.startsWith(pattern.slice(0, star))) return false;
  return matchesTail(pattern.slice(star), text.slice(star));
}

/**
 * Walks the pattern once and keeps, for each length of the text, whether what was walked matches that much of it.
 * The cost is the product of the two lengths whatever they hold: a pattern can't make this backtrack.
 */
function matchesTail(pattern: string, text: string): boolean {
  let reached: boolean[] = Array(text.length + 1).fill(false);
  reached[0] = true;
  for (const part of pattern.match(/\*{1,2}|[^*]/g) ?? []) {
    reached = part[0] === "*" ? afterRun(reached, text, part) : afterLiteral(reached, text, part);
  }
  return reached[text.length] === true;
}

const afterLiteral = (reached: readonly boolean[], text: string, unit: string): boolean[] =>
  reached.map((_, length) => length > 0 && reached[length - 1]! && text[length - 1] === unit);

function afterRun(reached: readonly boolean[], text: string, run: string): boolean[] {
  let inside = false;
  return reached.map((here, length) => {
    inside = here || (inside && (run === "**" || !SEPARATORS.has(text[length - 1]!)));
    return inside;
  });
}

const SEPARATORS: ReadonlySet<string> = new Set([":", ".", "/"]);
