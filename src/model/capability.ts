// Whether a token's `caps` grant a right in a topic. Capabilities only add rights; the policies of a hub's rooms are in
// dispatch/define/policies.ts.

import type { Capability, Right, User } from "./user.ts";

/** Whether any capability of the user grants the right. `topicText` is canonical (`formatTopic`). */
export const allows = (user: Pick<User, "caps">, right: Right, topicText: string): boolean =>
  user.caps.some((cap) => cap.allow.includes(right) && covers(cap, topicText));

const covers = ({ channels, match }: Capability, topicText: string): boolean =>
  match === "wildcard"
    ? channels.some((pattern) => matchesWildcard(pattern, topicText))
    : channels.includes(topicText);

/**
 * Whether the whole text matches. `*` matches any text, even an empty one, without `:` `.` or `/`; `**` matches any
 * text; every other character matches itself.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === text;
  if (!text.startsWith(pattern.slice(0, star))) return false;
  return matchesTail(pattern.slice(star), text.slice(star));
}

/**
 * Dynamic programming over the pattern: `reached[n]` is whether the parts so far match the first `n` units of the text.
 * The cost is at most the product of both lengths: no pattern can cause backtracking.
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
