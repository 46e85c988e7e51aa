// What the hub asks a client, and how connections end by the server's word, over every transport and protocol.

import { HttpTransportType } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { within } from "../client.ts";
import { connectionIdOf, guest, messageOf, ROWS, visit, type Visitor } from "./connections.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const failed = (method: string, why: string): string =>
  `An unexpected error occurred invoking '${method}' on the server. HubException: ${why}`;

describe.each(ROWS)("$name", (row) => {
  const enter = (visitor: Visitor = {}, hub = "signalr") => visit({ endpoint, row, hub }, visitor);
  const idOf = async (one: Awaited<ReturnType<typeof enter>>): Promise<string> =>
    connectionIdOf(await one.invoke("Whoami"));

  describe("a question to a client", () => {
    it("is answered, at once or later, while other calls go on", async () => {
      const later = Promise.withResolvers<boolean>();
      await using alice = await enter({
        answers: { Confirm: (question: string) => (question === "now?" ? false : later.promise) },
      });
      expect(await alice.invoke("Ask", "now?")).toBe(false);
      const answer = alice.invoke("Ask", "later?");
      expect(await alice.invoke("Echo", "meanwhile")).toBe("meanwhile");
      later.resolve(true);
      expect(await answer).toBe(true);
    });

    it("is refused by a client that has no handler, or one that gives nothing", async () => {
      const refusal = failed("Ask", "Client didn't provide a result.");
      await using deaf = await enter();
      await using dumb = await enter({ answers: { Confirm: () => {} } });
      expect(await deaf.fails("Ask", "well?")).toBe(refusal);
      expect(await dumb.fails("Ask", "well?")).toBe(refusal);
    });

    it("ends with the error of the handler", async () => {
      const answers = { Confirm: () => Promise.reject(new Error("from callback")) };
      await using alice = await enter({ answers });
      expect(await alice.fails("Ask", "well?")).toBe(failed("Ask", "Error: from callback"));
    });

    it("is not answered by what is no answer", async () => {
      await using alice = await enter({ answers: { Confirm: () => "perhaps" } });
      expect(await alice.fails("Ask", "well?")).toMatch(
        /^An unexpected error occurred invoking 'Ask' on the server\. HubException: The answer to confirm: /,
      );
    });

    it("may be for another client", async () => {
      const heard: string[] = [];
      await using alice = await enter();
      await using bob = await enter({
        user: "bob",
        answers: { Confirm: (question: string) => heard.push(question) > 0 },
      });
      expect(await alice.invoke("AskOther", await idOf(bob), "Bob?")).toBe(true);
      expect(heard).toEqual(["Bob?"]);
    });

    it("fails when the client goes without an answer, or never was", async () => {
      await using alice = await enter();
      const asked = Promise.withResolvers<void>();
      const never = () => (asked.resolve(), new Promise(() => {}));
      await using bob = await enter({ user: "bob", answers: { Confirm: never } });
      const id = await idOf(bob);
      const answer = alice.fails("AskOther", id, "Bob?");
      await within(asked.promise, "the question");
      await bob.connection.stop();
      expect(await answer).toBe(failed("AskOther", "The client is gone and did not answer."));
      expect(await alice.fails("AskOther", id, "Bob?")).toBe(
        failed("AskOther", "There is no connection with that id."),
      );
    });

    it("is answered to nobody when the asker has gone", async () => {
      const [asked, may] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
      await using bob = await enter({
        user: "bob",
        answers: { Confirm: () => (asked.resolve(), may.promise) },
      });
      const alice = await enter();
      const answer = messageOf(alice.invoke("AskOther", await idOf(bob), "Bob?"));
      await within(asked.promise, "the question");
      await alice[Symbol.asyncDispose]();
      expect(await answer).toBe(
        "Invocation canceled due to the underlying connection being closed.",
      );
      may.resolve(true);
      expect(await bob.invoke("Echo", "alive")).toBe("alive");
    });
  });

  describe("a connection", () => {
    it("is ended by the hub for good, though the client would come back", async () => {
      await using alice = await enter({ delays: [0, 0] });
      const call = messageOf(alice.invoke("Abort"));
      expect(await within(alice.closed, "the end")).toBeUndefined();
      expect(await call).toBe("Invocation canceled due to the underlying connection being closed.");
    });

    it("ends with the error of the hub's beginning", async () => {
      await using alice = guest({ endpoint, row, hub: "signalr-shut" }, { delays: [0, 0] });
      // Whether the start is over by then depends on how the frames arrive.
      const ended = alice.closed.then((error) => Promise.reject(error));
      const started = alice.connection.start().then(() => ended);
      const said =
        "Server returned an error on close: Connection closed with an error. HubException: not today";
      // Over events a start may be waiting for its last POST: it fails with that (signalr-reconnect.md#ka9).
      const isEvents = row.options.transport === HttpTransportType.ServerSentEvents;
      const late = isEvents ? ["No Connection with that ID: Status code '404'"] : [];
      expect([said, ...late]).toContain(await messageOf(within(started, "the end")));
    });

    it.each([
      ["signalr", ""],
      [
        "signalr-detailed",
        " InvalidDataException: The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.",
      ],
    ])(
      "ends with a message too large for %s, and the client may come back",
      async (hub, detail) => {
        await using alice = await enter({ delays: [0, 100, 1_000] }, hub);
        const back = new Promise<void>((resolve) =>
          alice.connection.onreconnected(() => resolve()),
        );
        const call = messageOf(alice.invoke("Echo", "x".repeat(32_768)));
        await within(back, "the return");
        expect(await call).toBe(
          `Server returned an error on close: Connection closed with an error.${detail}`,
        );
        expect(await alice.invoke("Echo", "alive")).toBe("alive");
        expect(await alice.invoke("Echo", "x".repeat(32_000))).toHaveLength(32_000);
      },
    );
  });
});
