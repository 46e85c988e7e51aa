// [R11] Commands of a connection in any order: every request is answered exactly once, and nobody is answered for
// another.

import * as fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { enter, type Client } from "../../rooms/client.ts";
import { sizeOf } from "../../support/seed.ts";
import { answer, cancel, end, item, notification, refusal, request, upload } from "../frames.ts";

/** In parts that each have a time limit of their own: a busy machine takes minutes for all of them. */
const PARTS = 10;
/** Of each part. */
const RUNS = sizeOf(20, 200);
const COMMANDS = sizeOf(30, 50);

/** What one connection has sent so far in a run. */
interface Sent {
  readonly client: Client;
  readonly prefix: string;
  readonly ids: string[];
}

type Command = (sent: Sent) => unknown;

const idOf = (sent: Sent): string => {
  sent.ids.push(`${sent.prefix}${sent.ids.length}`);
  return sent.ids.at(-1)!;
};

const call =
  (method: string, params: unknown): Command =>
  (sent) =>
    request(idOf(sent), method, params);

const name = fc.constantFrom("a", "b", "c");
const nth = fc.nat(12);

const single: fc.Arbitrary<Command> = fc.oneof(
  fc.constant(call("note", ["x"])),
  fc.constant(call("missing", [])),
  fc.constant(call("note", [1])),
  fc.constant(call("fail", ["refused"])),
  fc.constant(call("unencodable", [])),
  fc.constant(call("mixed", [])),
  fc.constant(call("stuck", [])),
  fc.constant(call("busy", [])),
  fc.constant(call("untilAborted", [])),
  fc.constant(call("askMe", ["sure?"])),
  fc.constant(call("$/presence", {})),
  fc.constant(call("$/history", { limit: "bad" })),
  fc.nat(40).map((to) => call("count", [to])),
  name.map((gate) => call("hold", [gate])),
  name.map((gate) => call("release", [gate])),
  name.map((stream) => call("sum", [upload(stream)])),
  name.map((stream) => call("first", [upload(stream)])),
  name.map((stream) => call("doubled", [upload(stream)])),
  fc.tuple(name, name).map(([a, b]) => call("sumBoth", [upload(a), upload(b)])),
  fc.tuple(name, fc.oneof(fc.nat(9), fc.constant("bad"))).map(
    ([s, value]) =>
      () =>
        item(s, value),
  ),
  name.map((stream) => () => end(stream)),
  name.map((stream) => () => end(stream, "why")),
  nth.map(
    (n) =>
      ({ prefix }: Sent) =>
        cancel(`${prefix}${n}`),
  ),
  nth.map((n) => () => answer(`s${n}`, true)),
  nth.map((n) => () => refusal(`s${n}`, "no")),
  fc.constant(() => notification("note", ["y"])),
  fc.constant(() => notification("count", [3])),
);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: single },
  { weight: 1, arbitrary: fc.constant(() => "{") },
  {
    weight: 1,
    arbitrary: fc
      .array(single, { minLength: 1, maxLength: 4 })
      .map((commands) => (sent: Sent) => commands.map((one) => one(sent))),
  },
);

/** Cancels every call: whatever is still open is answered then. Its barrier is a call that waits for no turn. */
async function cancelAll({ client, prefix, ids }: Sent): Promise<void> {
  for (const id of ids) client.send(cancel(id));
  client.send(request(`${prefix}cancelled`, "count", [0]));
  await client.response(`${prefix}cancelled`);
}

/** Lets whatever runs on come to its end: what answers a second time does so before this is answered. */
async function runOut({ client, prefix }: Sent): Promise<void> {
  client.send(request(`${prefix}last`, "note", ["last"]));
  await client.response(`${prefix}last`);
}

const answersOf = (client: Client): string[] =>
  client.heard.flatMap(({ id, method }) => (method || typeof id !== "string" ? [] : [id]));

afterEach(() => void vi.restoreAllMocks());

const TITLE = `[R11] ${RUNS} runs of ${COMMANDS} commands: each request is answered once, by its own id`;

it.each(Array.from({ length: PARTS }, (_, part) => part))(
  `${TITLE} (part %i)`,
  async (part) => {
    vi.spyOn(console, "error").mockImplementation(() => {}); // "unencodable" and "mixed" are logged, as they should
    let run = part * 10_000; // A run that fails is repeated, shrunk, in rooms of its own.
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(1), command), { minLength: COMMANDS, maxLength: COMMANDS }),
        async (commands) => {
          const room = `zoo/group:${++run}`;
          using alice = await enter(room, { user: `alice-${part}` });
          using bob = await enter(room, { user: `bob-${part}` });
          using carol = await enter(room, { user: `carol-${part}` });
          const sent: Sent[] = [
            { client: alice, prefix: "a", ids: [] },
            { client: bob, prefix: "b", ids: [] },
          ];
          for (const [who, one] of commands) sent[who]!.client.send(one(sent[who]!));
          await Promise.all(sent.map(cancelAll));
          for (const gate of ["a", "b", "c"]) await carol.call("release", [gate]);
          await Promise.all(sent.map(runOut));
          for (const { client, prefix, ids } of sent)
            expect(answersOf(client).toSorted()).toEqual(
              [...ids, `${prefix}cancelled`, `${prefix}last`].toSorted(),
            );
        },
      ),
      { numRuns: RUNS },
    );
  },
  RUNS * 6_000,
);

it("[R11] a call that is cancelled in the frame that brings it does not begin, and keeps no turn", async () => {
  using alice = await enter("zoo/group:cancelled");
  alice.send([request("a", "untilAborted", []), cancel("a")]);
  alice.send(request("b", "note", ["after"]));
  expect((await alice.response("a")).error?.data.code).toBe("cancelled");
  expect((await alice.response("b")).error).toBeUndefined();
});
