// The topics that a capability covers.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allows, matchesWildcard } from "../../src/model/capability.ts";
import type { Capability, Right } from "../../src/model/user.ts";

const RIGHTS: readonly Right[] = ["sub", "pub", "prs", "hst"];

describe("matchesWildcard", () => {
  it.each([
    ["group:lobby", "group:lobby"],
    ["group:*", "group:lobby"],
    ["group:*", "group:"],
    ["group:news.*", "group:news.sport"],
    ["group:*.*", "group:news.sport"],
    ["group:a*z", "group:az"],
    ["group:a*z", "group:a-z-z"],
    ["*:lobby", "group:lobby"],
    ["*:*", "order:42"],
    ["**", "all"],
    ["**", "group:a.b/c:d"],
    ["**", ""],
    ["*", ""],
    ["***", "a.b"],
    ["group:**", "group:a.b/c"],
    ["group:**.end", "group:a.end.b.end"],
    ["group:**/*.txt", "group:a/b/c.txt"],
    ["group:a*b**c*d", "group:axxb.:/cyyd"],
    ["group:*é*", "group:caféx"],
    ["group:(a+)+$", "group:(a+)+$"],
  ])("%s matches %s", (pattern, text) => {
    expect(matchesWildcard(pattern, text)).toBe(true);
  });

  it.each([
    ["group:lobby", "group:lobby2"],
    ["group:lobby", "Group:lobby"],
    ["group:*", "group:a.b"],
    ["group:*", "group:a:b"],
    ["group:*", "group:a/b"],
    ["group:*", "order:a"],
    ["group:*", "group"],
    ["*", "group:a"],
    ["group:news.*", "group:news"],
    ["group:news.*", "group:newsXsport"],
    ["group:*.*", "group:a.b.c"],
    ["group:a*z", "group:a.z"],
    ["group:**.end", "group:a.endx"],
    ["**x", "group:a"],
    ["", "a"],
    [".*", "group:a"],
    ["group:[a-z]", "group:a"],
    ["group:?", "group:a"],
  ])("%s does not match %s", (pattern, text) => {
    expect(matchesWildcard(pattern, text)).toBe(false);
  });

  it("agrees with a regular expression", () => {
    const short = (...units: string[]) =>
      fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
    fc.assert(
      fc.property(
        short("a", "b", ":", ".", "*", "**"),
        short("a", "b", ":", "."),
        (pattern, text) => {
          expect(matchesWildcard(pattern, text)).toBe(asRegExp(pattern).test(text));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("takes no longer for a pattern made to backtrack", () => {
    const pattern = "group:" + "a**".repeat(80) + "b";
    const begun = performance.now();
    for (let i = 0; i < 100; i++)
      expect(matchesWildcard(pattern, `group:${"a".repeat(128)}`)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

const asRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/\*\*|[*.]/g, (run) => ({ "**": ".*", "*": "[^:./]*" })[run] ?? "\\.")}$`,
    "s",
  );

describe("allows", () => {
  const caps: Capability[] = [
    { channels: ["group:lobby", "group:*"], allow: ["sub"] },
    { channels: ["group:news.*", "order:42"], match: "wildcard", allow: ["sub", "hst"] },
    { channels: ["group:lobby"], allow: ["pub"] },
  ];

  it.each<[string, Right[]]>([
    ["group:lobby", ["sub", "pub"]],
    ["group:*", ["sub"]],
    ["group:other", []],
    ["group:news.sport", ["sub", "hst"]],
    ["group:news.sport.nba", []],
    ["order:42", ["sub", "hst"]],
    ["order:43", []],
    ["all", []],
  ])("grants in %s: %j", (topic, rights) => {
    expect(RIGHTS.filter((right) => allows({ caps }, right, topic))).toEqual(rights);
  });

  it("grants nothing without caps", () => {
    expect(RIGHTS.filter((right) => allows({ caps: [] }, right, "group:a"))).toEqual([]);
  });
});
