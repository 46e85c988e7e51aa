// Names of variables that differ from one that the server reads by a slip of the keyboard. The server ignores them.

import { VARIABLES } from "../setup/rules.ts";

/** Changed, missing and additional characters of a slip. Names that the server reads differ by more. */
const SLIP = 2;

/** The variables that the server does not read, each with the name that was probably meant, which is not set. */
export const misspelt = (variables: Readonly<Record<string, unknown>>): readonly Misspelt[] =>
  Object.keys(variables).flatMap((name) => {
    const near = nearName(name);
    return near === undefined || variables[near] ? [] : [[name, near] as const];
  });

type Misspelt = readonly [name: string, near: string];

/** Undefined if the server reads this name, or none that is near. */
function nearName(name: string): string | undefined {
  if (VARIABLES.includes(name)) return undefined;
  return VARIABLES.find((known) => distance(plain(name), plain(known)) <= SLIP);
}

/** Spellings that differ in case and in the character between words only. */
const plain = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z\d]/g, "");

/** The Levenshtein distance: how many characters are to be changed, inserted or removed. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, character] of [...one].entries()) {
    const next = [line + 1];
    for (const [at, wanted] of [...other].entries())
      next.push(
        Math.min(row[at]! + (character === wanted ? 0 : 1), row[at + 1]! + 1, next[at]! + 1),
      );
    row = next;
  }
  return row.at(-1)!;
}
