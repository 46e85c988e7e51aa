// A world, and a room's tables, in plain Node, without the engine and without vite: as tests of the package's users
// run.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PROGRAM_MS } from "../support/patience.ts";

function printedBy(name: string): unknown {
  const program = fileURLToPath(new URL(`../support/${name}`, import.meta.url));
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const printed = execFileSync(process.execPath, [program], {
    encoding: "utf8",
    timeout: PROGRAM_MS,
    stdio: [...stdio],
  });
  return JSON.parse(printed);
}

it("tables of a room are in the database of Node, without what a failing action wrote", () => {
  expect(printedBy("tables-in-node.ts")).toEqual({
    answers: [1, "nowhere", 2],
    scans: [
      ["dock", 1],
      ["gate", 1],
    ],
    stored: [{ rows: 2 }],
  });
});

it("a world has callers, rooms, streams and a clock in plain Node", () => {
  expect(printedBy("world-in-node.ts")).toEqual({
    chat: [
      ["userJoined", "bob", "lobby"],
      ["userJoined", "alice", "lobby"],
      ["receiveMessage", "alice", "hello"],
      ["userLeft", "alice", "lobby"],
    ],
    upload: { count: 3, sensors: ["a"], min: 1, max: 3, mean: 2 },
  });
});
