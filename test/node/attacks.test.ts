// The command of the attacks knows its names. The attacks themselves take an hour, and run by hand (CONTRIBUTING.md).

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PROGRAM_MS } from "../support/patience.ts";

const PROGRAM = fileURLToPath(new URL("../attacks/run.ts", import.meta.url));

function attack(...args: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: "utf8",
    timeout: PROGRAM_MS,
  });
  return {
    status,
    names: [...stdout.matchAll(/^ {2}([LRS]\d+(?:-L\d+)?) /gm)].map(([, name]) => name),
  };
}

const NAMES = [
  ...["L1", "L2", "L3", "L4", "L5", "L1-L5"],
  ...Array.from({ length: 10 }, (_, n) => `L${n + 6}`),
  ...["R7", "R8", "R9", "R14", "S9", "S10", "S11"],
];

it("--help lists every attack by its name", () => {
  expect(attack("--help")).toEqual({ status: 0, names: NAMES });
});

it("a name that no attack has is refused, with the names that there are", () => {
  expect(attack("L99")).toEqual({ status: 2, names: NAMES });
});
