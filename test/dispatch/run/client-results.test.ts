// Questions to a client, with a clock of the test's own.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ClientResults } from "../../../src/dispatch/run/client-results.ts";
import { HubError } from "../../../src/model/errors.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A question that is open, its id, and its outcome. */
function asked(questions = new ClientResults(30)) {
  let id = "";
  const outcome = questions.ask((fresh) => void (id = fresh));
  return { questions, id, outcome: outcome.catch((error: HubError) => error.code) };
}

it("a question is given its answer, once, and leaves no timer", async () => {
  const { questions, id, outcome } = asked();
  expect(questions.answer(id, "yes")).toBe(true);
  expect(await outcome).toBe("yes");
  expect(questions.answer(id, "no")).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

it("a question that is refused fails with what the client said", async () => {
  const { questions, id, outcome } = asked();
  questions.refuse(id, new HubError("client_error", "no"));
  expect(await outcome).toBe("client_error");
  expect(vi.getTimerCount()).toBe(0);
});

it("a question is timed_out after its seconds, not before, and a late answer is nobody's", async () => {
  const { questions, id, outcome } = asked();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toBe("timed_out");
  expect(questions.answer(id, "late")).toBe(false);
});

it("all questions are interrupted when the client is gone", async () => {
  const first = asked();
  const second = asked(first.questions);
  first.questions.close();
  expect(await Promise.all([first.outcome, second.outcome])).toEqual([
    "interrupted",
    "interrupted",
  ]);
  expect(await asked(first.questions).outcome).toBe("interrupted");
  expect(vi.getTimerCount()).toBe(0);
});

it("an answer to what was never asked changes nothing", async () => {
  const { questions, id, outcome } = asked();
  for (const other of ["s9", 1, null, undefined, {}, "__proto__"])
    expect(questions.answer(other, "x")).toBe(false);
  questions.answer(id, "mine");
  expect(await outcome).toBe("mine");
});
