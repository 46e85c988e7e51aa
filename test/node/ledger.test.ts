// The oracle itself: every kind of violation is seen, and a faultless run has none.

import { describe, expect, it } from "vitest";
import { Ledger, type Heard } from "../support/ledger.ts";

const at = (offset: number, stamp?: string, text = stamp ?? "said", epoch = "e"): Heard => ({
  room: "r",
  position: `${epoch}:${offset}`,
  text,
  ...(stamp !== undefined && { stamp }),
});

/** Publisher p has sent 0–4; subscribers a and b stand at the start. */
function begun(): Ledger {
  const ledger = new Ledger();
  for (let n = 0; n < 5; n += 1) ledger.stamp("p");
  for (const one of ["a", "b"])
    ledger.resumed(one, { room: "r", position: "e:0", recovered: false });
  return ledger;
}

const kinds = ({ violations }: Ledger): string[] =>
  violations.map((violation) => violation.slice(0, violation.indexOf(":")));

describe("a ledger", () => {
  it("finds nothing wrong where everybody hears everything once and in order", () => {
    const ledger = begun();
    for (const one of ["a", "b"])
      for (let n = 0; n < 5; n += 1) ledger.heard(one, at(n + 1, `p/${n}`));
    ledger.acked("p/4");
    ledger.history([0, 1, 2, 3, 4].map((n) => at(n + 1, `p/${n}`)));
    expect(ledger.violations).toEqual([]);
    expect(ledger.isComplete("a", "r")).toBe(true);
    expect(ledger.totals).toEqual({ sent: 5, acked: 5 });
  });

  it.each<[kind: string, heard: readonly Heard[]]>([
    ["gap", [at(1, "p/0"), at(2, "p/2")]],
    ["dup", [at(1, "p/0"), at(2, "p/0")]],
    ["dup", [at(1), at(1)]],
    ["order", [at(2)]],
    ["phantom", [at(1, "p/5")]],
    ["fork", [at(1, undefined, "said", "other")]],
  ])("sees a %s", (kind, heard) => {
    const ledger = begun();
    for (const one of heard) ledger.heard("a", one);
    expect(kinds(ledger)).toEqual([kind]);
  });

  it("sees two subscribers who hear different things at one position", () => {
    const ledger = begun();
    ledger.heard("a", at(1, undefined, "one"));
    ledger.heard("b", at(1, undefined, "two"));
    expect(kinds(ledger)).toEqual(["fork"]);
  });

  it("sees a recovery that went back, or into another epoch", () => {
    const ledger = begun();
    ledger.heard("a", at(1));
    ledger.resumed("a", { room: "r", position: "e:0", recovered: true });
    ledger.resumed("b", { room: "r", position: "f:0", recovered: true });
    expect(kinds(ledger)).toEqual(["fork", "fork"]);
  });

  it("sees what was acknowledged and is not kept, and what is kept otherwise than it was heard", () => {
    const ledger = begun();
    ledger.heard("a", at(1, "p/0"));
    ledger.acked("p/0");
    ledger.history([at(1, undefined, "other")]);
    expect(kinds(ledger)).toEqual(["fork", "acked-lost"]);
  });

  it("takes the first that is heard after a join as the start, and nothing before a join", () => {
    const ledger = begun();
    ledger.heard("c", at(7));
    ledger.joined("c", "r");
    ledger.heard("c", at(8, "p/3"));
    ledger.heard("c", at(9, "p/4"));
    expect(kinds(ledger)).toEqual(["order"]);
  });

  it("knows who has not heard all, and forgives what a subscriber was told it missed", () => {
    const ledger = begun();
    ledger.heard("a", at(1, "p/0"));
    expect(ledger.isComplete("a", "r")).toBe(false);
    ledger.resumed("a", { room: "r", position: "e:4", recovered: false });
    ledger.heard("a", at(5, "p/4"));
    expect(ledger.violations).toEqual([]);
    expect(ledger.isComplete("a", "r")).toBe(true);
  });
});
