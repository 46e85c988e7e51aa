// Errors that hub code throws, as SignalR's callers get them: with their words, whatever code the author chose. ASP.NET
// Core's own sentences stand for errors of the server alone (docs/design/signalr-wire.md#er1).

import { describe, expect, it } from "vitest";
import { connected } from "../../rooms/relay/client.ts";

const INVOKING = "An unexpected error occurred invoking";

/** Codes for which the server has words of its own where it throws them itself. */
const CODES = [
  ...["duplicate_id", "invalid_item", "ended", "wrong_kind", "internal"],
  ...["forbidden", "method_not_found", "invalid_arguments", "sold_out"],
];

describe("an error of hub code", () => {
  it.each(CODES)("%s reaches the caller with its words", async (code) => {
    using alice = await connected("slow");
    expect((await alice.call("Fail", code)).error).toBe(
      `${INVOKING} 'Fail' on the server. HubException: As asked.`,
    );
    using bob = await connected("streams");
    bob.say({ type: 4, invocationId: "s", target: "Breaks", arguments: [code] });
    const { error } = await bob.record(({ type }) => type === 3);
    expect(error).toBe(
      "An error occurred on the server while streaming results. HubException: As asked.",
    );
  });

  it("that is none of HubError's keeps its words for the log", async () => {
    using alice = await connected("slow");
    expect((await alice.call("Fail", "secret")).error).toBe(`${INVOKING} 'Fail' on the server.`);
  });

  it("of an action, whose room is another object, does the same", async () => {
    using alice = await connected("odd");
    const errors = [];
    for (const action of ["Half", "Promise"])
      errors.push((await alice.call(action, "thrown")).error);
    expect(errors).toEqual([
      `${INVOKING} 'Half' on the server. HubException: Not so.`,
      `${INVOKING} 'Promise' on the server.`,
    ]);
  });

  it("does not stand in for the server's own: an id that is in use", async () => {
    using alice = await connected("streams");
    const busy = { type: 4, invocationId: "s", target: "Busy", arguments: [] };
    alice.say(busy);
    alice.say(busy);
    const { error } = await alice.record(({ type }) => type === 3);
    expect(error).toBe("Invocation ID 's' is already in use.");
  });
});
