// Floods of what is no call: one budget for all that arrives on a connection, in messages and in bytes. The hub `pinched`
// lets 40 messages and 64 KiB through at once.

import { expect, it } from "vitest";
import { enter } from "../../rooms/client.ts";
import { connected, type SignalR } from "../../rooms/relay/client.ts";
import { answer, cancel, end, item, refusal } from "../frames.ts";

const FLOOD = 200;

const jsonRpc: [string, (n: number) => unknown][] = [
  ["cancellations", (n) => cancel(n)],
  ["items of no stream", (n) => item(`s${n}`, n)],
  ["ends of no stream", (n) => end(`s${n}`)],
  ["answers to no question", (n) => answer(`s${n}`, n)],
  ["refusals of no question", (n) => refusal(`s${n}`, "no")],
  ["batches", (n) => [cancel(n), cancel(n), cancel(n), cancel(n)]],
];

it.each(jsonRpc)("closes a flood of %s with 4429", async (_, message) => {
  using flooder = await enter("pinched/group:floods", { user: "mallory" });
  using bystander = await enter("pinched/group:floods", { user: "bob" });
  for (let n = 0; n < FLOOD; n++) flooder.send(message(n));
  expect(await flooder.closed).toMatchObject({ code: 4429 });
  expect((await bystander.call("whoami")).error).toBeUndefined();
});

const signalR: [string, (n: number) => object][] = [
  ["2, items", (n) => ({ type: 2, invocationId: `${n}`, item: n })],
  ["3, completions", (n) => ({ type: 3, invocationId: `${n}`, result: n })],
  ["5, cancellations", (n) => ({ type: 5, invocationId: `${n}` })],
  ["6, pings", () => ({ type: 6, n: 1 })],
  ["8, acks", (n) => ({ type: 8, sequenceId: n })],
];

const ending = (client: SignalR) => client.record(({ type }) => type === 7);

it.each(signalR)("closes a SignalR client that floods with type %s", async (_, message) => {
  using flooder = await connected("pinched", { user: "mallory" });
  for (let n = 0; n < FLOOD; n++) flooder.say(message(n));
  expect(await ending(flooder)).toMatchObject({ allowReconnect: true });
});

it("closes a client that sends more bytes than it may, whatever they are", async () => {
  using flooder = await enter("pinched/group:bytes", { user: "mallory" });
  for (let n = 0; n < 10; n++) flooder.send("x".repeat(10_000));
  expect(await flooder.closed).toMatchObject({ code: 4429 });
});

it("lets 10,000 items through at full speed", async () => {
  using alice = await enter("streams/group:fast", { user: "alice" });
  const count = 10_000;
  const total = alice.call("sum", [{ $stream: "s" }]);
  for (let n = 0; n < count; n += 100) alice.send(Array.from({ length: 100 }, () => item("s", 1)));
  alice.send(end("s"));
  expect((await total).result).toBe(count);
});
