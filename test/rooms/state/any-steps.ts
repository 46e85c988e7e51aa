// Steps at random, for the hubs that do what they are given.

import type { Chance } from "../../support/seed.ts";
import type { Json, Step } from "../../support/modelled-hub.ts";

const KEYS = ["a", "b", "hidden", "list", "constructor"] as const;
export const IDS = ["i1", "i2", "i3", "i4", "i5", "i6", "i7", "steps"] as const;
export const GROUPS = ["x", "y"] as const;

function anyJson(dice: Chance, depth = 0): Json {
  const kind = dice.below(depth > 2 ? 4 : 9);
  if (kind < 3) return dice.below(5);
  if (kind === 3) return dice.pick(["", "ä", "text", "😀"]);
  if (kind < 6)
    return Array.from({ length: dice.below(4) }, () =>
      dice.below(9) === 0 ? null : anyJson(dice, depth + 1),
    );
  const record: Record<string, Json> = {};
  for (let n = dice.below(4); n > 0; n--)
    record[dice.pick(KEYS)] = dice.below(40) === 0 ? null : anyJson(dice, depth + 1);
  return record;
}

const anyPath = (dice: Chance): string[] =>
  Array.from({ length: 1 + dice.below(3) }, () => dice.pick(KEYS));

interface Chosen {
  readonly dice: Chance;
  readonly hasSql: boolean;
  /** The name of the room; those that messages are for begin with it. */
  readonly room: string;
  /** A number that was not given before. */
  text(): number;
}

function anyStep({ dice, hasSql, room, text }: Chosen, depth: number): Step {
  const kind = dice.below(depth > 0 ? 15 : 20);
  const path = anyPath(dice);
  switch (kind) {
    case 0:
      return ["delete", path];
    case 1:
      return ["copy", path, anyPath(dice)];
    case 2:
      return ["push", ["list"], anyJson(dice, 2)];
    case 3:
      return [
        "splice",
        ["list"],
        dice.below(4),
        dice.below(3),
        ...Array.from({ length: dice.below(3) }, () => anyJson(dice, 2)),
      ];
    case 4:
      return ["reverse", ["list"]];
    case 5:
      return dice.below(3) ? ["set", ["list"], [1, 2]] : ["replace", anyJson(dice)];
    case 6:
      return ["say", `s${text()}`];
    case 7:
      return ["tell", room + dice.pick(GROUPS), `t${text()}`];
    case 8:
      return hasSql ? ["insert", text()] : ["set", ["a"], text()];
    case 9:
      return dice.below(4) ? ["set", path, anyJson(dice)] : ["throw"];
    case 10:
      return !hasSql && dice.below(3) === 0 ? ["set", ["poison"], true] : ["delete", ["poison"]];
    case 15:
    case 16:
      return ["in", dice.below(20), dice.pick(IDS), anySteps({ dice, hasSql, room, text }, 1)];
    case 17:
      return [
        "every",
        1 + dice.below(10),
        dice.pick(IDS),
        anySteps({ dice, hasSql, room, text }, 1),
      ];
    case 18:
      return ["cancel", dice.pick(IDS)];
    default:
      return ["set", path, anyJson(dice, 1)];
  }
}

/** `depth`: 1 for those that are scheduled, which schedule nothing. */
export const anySteps = (chosen: Chosen, depth = 0): Step[] =>
  Array.from({ length: 1 + chosen.dice.below(depth > 0 ? 2 : 4) }, () => anyStep(chosen, depth));
