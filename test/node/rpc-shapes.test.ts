// Objects of two versions call each other while a deploy goes on, and read each other's attachments: a change of what
// they exchange is looked at before it is made.

import { expect, it } from "vitest";
import { accepted, changesOf, shapesNow } from "../../scripts/rpc-shapes.ts";

const RULE = `What versions exchange during a deploy has changed (- gone, + new). An old worker calls new objects, and
the other way round. So members and parameters are added as optional ones, and what goes is first left unread:
docs/design/objects.md#calls-between-versions. If both versions take the change, accept it: npm run shapes -- --update
`;

it("what versions exchange during a deploy is what was accepted", () => {
  const changes = changesOf(accepted(), shapesNow());
  expect(changes.length > 0 ? [RULE, ...changes].join("\n") : "").toBe("");
});

it("a change is named by its object or type", () => {
  const before = "object A\n  b(c: D): void\n\ntype D\n  e: string\n  f?: string\n";
  const after = "object A\n  b(c: D, g: number): void\n\ntype D\n  e: string\n";
  expect(changesOf(before, after)).toEqual([
    "- object A: b(c: D): void",
    "- type D: f?: string",
    "+ object A: b(c: D, g: number): void",
  ]);
});
