// A question from a client of one relay to a client of another: two objects and two sockets, each of which may break.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BREAKS } from "../../support/proxy.ts";
import { eventually, within } from "../client.ts";
import type { Guest } from "./connections.ts";
import {
  come,
  shareFaultyEndpoint,
  startFaultyEngine,
  type Coming,
  type Faulty,
} from "./faults.ts";

let faulty: Faulty;
beforeAll(async () => void (faulty = await shareFaultyEndpoint()));
afterAll(() => faulty[Symbol.asyncDispose]());

const idOf = ({ connection }: Guest): string => connection.connectionId!;
const relayOf = (one: Guest): string => idOf(one).split("@relay:")[1]!;

const failed = (why: string): string =>
  `An unexpected error occurred invoking 'AskOther' on the server. HubException: ${why}`;

/** Seats of one relay, and of the next two. */
const SEATS = 15;

/** Whom one asks, and who asks: on two relays. Whoever fills the first of them stays until the end. */
async function apart(stack: AsyncDisposableStack, hub: string, asked: Coming, at = faulty) {
  const other = stack.use(await come(at, hub, asked));
  for (let i = 0; i <= SEATS; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one relay fills up after another
    const asker = stack.use(await come(at, hub, { name: `asker${i}` }));
    if (relayOf(asker) !== relayOf(other)) return { asker, other };
  }
  throw new Error("All are on one relay.");
}

/** An answer that is given when the test says so. */
function later() {
  const [asked, answer] = [Promise.withResolvers<string>(), Promise.withResolvers<boolean>()];
  const confirm = (question: string): Promise<boolean> => {
    asked.resolve(question);
    return answer.promise;
  };
  return { answers: { Confirm: confirm }, answer, asked: asked.promise };
}

describe("a question to a client of another relay", () => {
  it("is answered, in whatever order, and both ways", async () => {
    await using stack = new AsyncDisposableStack();
    const slow = later();
    const Confirm = (question: string) => (question === "slow?" ? slow.answer.promise : true);
    const other = { name: "other", answers: { Confirm } };
    const { asker, other: asked } = await apart(stack, "five", other);
    const first = asker.invoke("AskOther", idOf(asked), "slow?");
    expect(await asker.invoke("AskOther", idOf(asked), "quick?")).toBe(true);
    slow.answer.resolve(false);
    expect(await first).toBe(false);
    expect(await asked.fails("AskOther", idOf(asker), "you?")).toBe(
      failed("Client didn't provide a result."),
    );
  });

  it("is refused in the words of the one who was asked", async () => {
    await using stack = new AsyncDisposableStack();
    const answers = { Confirm: () => Promise.reject(new Error("not you")) };
    const { asker, other } = await apart(stack, "five", { name: "other", answers });
    expect(await asker.fails("AskOther", idOf(other), "me?")).toBe(failed("Error: not you"));
  });

  it.each(["reset", "fin"] as const)(
    "fails when the socket of the one who is asked breaks (%s)",
    async (how) => {
      const { proxy } = faulty;
      await using stack = new AsyncDisposableStack();
      const { answers, asked } = later();
      const coming = { name: `gone${how}`, via: proxy, answers };
      const { asker, other } = await apart(stack, "five", coming);
      const [id, error] = [idOf(other), asker.fails("AskOther", idOf(other), "still there?")];
      await within(asked, "the question");
      expect(proxy.cut(how, coming.name)).toBe(1);
      expect(await error).toBe(failed("The client is gone and did not answer."));
      expect(await asker.fails("AskOther", id, "and now?")).toBe(
        failed("There is no connection with that id."),
      );
    },
  );

  it("ends at the limit where the one who is asked vanished and nobody knows", async () => {
    const { proxy } = faulty;
    await using stack = new AsyncDisposableStack();
    const { answers, asked } = later();
    const coming = { name: "vanished", via: proxy, answers };
    const { asker, other } = await apart(stack, "brief", coming);
    const error = asker.fails("AskOther", idOf(other), "still there?");
    await within(asked, "the question");
    proxy.cut("vanish", coming.name);
    expect(await error).toBe(failed("The client did not answer in time."));
  });

  it.each(BREAKS)("is answered after a drop and a resume (%s)", async (how) => {
    const { proxy } = faulty;
    await using stack = new AsyncDisposableStack();
    const { answers, answer, asked } = later();
    const coming = { name: `resumed${how}`, via: proxy, stateful: true, answers };
    const { asker, other } = await apart(stack, "resuming-five", coming);
    const id = idOf(other);
    const asking = asker.invoke("AskOther", id, "still there?");
    await within(asked, "the question");
    expect(proxy.cut(how, coming.name)).toBe(1);
    await eventually(async () => proxy.opened(coming.name) === 2, "it is back");
    answer.resolve(true);
    expect(await asking).toBe(true);
    expect(idOf(other)).toBe(id);
  });

  it("is asked and answered while the one who is asked is away", async () => {
    const { proxy } = faulty;
    await using stack = new AsyncDisposableStack();
    const questions: string[] = [];
    const answers = { Confirm: (question: string) => questions.push(question) > 0 };
    const coming = { name: "away", via: proxy, stateful: true, answers };
    const { asker, other } = await apart(stack, "resuming-five", coming);
    proxy.hold();
    proxy.cut("reset", coming.name);
    const asking = ["1?", "2?", "3?"].map((one) => asker.invoke("AskOther", idOf(other), one));
    proxy.release();
    expect(await Promise.all(asking)).toEqual([true, true, true]);
    expect(questions).toEqual(["1?", "2?", "3?"]);
  });

  it("fails at once for a client that is gone since a kill of the whole server", async () => {
    await using engine = await startFaultyEngine();
    const { endpoint } = engine;
    await using stack = new AsyncDisposableStack();
    const { asker, other } = await apart(stack, "five", { name: "other" }, engine);
    const id = idOf(other);
    expect(await asker.fails("AskOther", id, "1?")).toBe(failed("Client didn't provide a result."));
    await endpoint.restart();
    await using again = await come(engine, "five", { name: "asker" });
    expect(await again.fails("AskOther", id, "2?")).toBe(
      failed("There is no connection with that id."),
    );
  });
});
