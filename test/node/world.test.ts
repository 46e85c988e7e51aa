// A world in plain Node, without the engine and without vite: as tests of the package's users run.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("a world has callers, rooms, streams and a clock in plain Node", () => {
  const program = fileURLToPath(new URL("../support/world-in-node.ts", import.meta.url));
  const printed = execFileSync(process.execPath, [program], { encoding: "utf8" });
  expect(JSON.parse(printed)).toEqual({
    chat: [
      ["userJoined", "bob", "lobby"],
      ["userJoined", "alice", "lobby"],
      ["receiveMessage", "alice", "hello"],
      ["userLeft", "alice", "lobby"],
    ],
    upload: { count: 3, sensors: ["a"], min: 1, max: 3, mean: 2 },
  });
});
