// A process with a connection that stops itself in the middle of a call, as e2e/waking.test.ts starts it: `hub token`.
// Writes `stopping`, and after it was woken what became of call and connection, as JSON.

import { writeSync } from "node:fs";
import { connect } from "../../src/client/index.ts";
import type { WakingHub } from "../support/waking-hub.ts";

const [hub = "", token = ""] = process.argv.slice(2);
const states: string[] = [];
const connection = connect<WakingHub>(hub, { room: "group:bed", token });
await connection.ready;
connection.onState(({ status }) => states.push(status));
const { invoke } = connection.with({ timeoutSeconds: 2 });
const call = invoke.answerAfter(1_000).catch(({ code }: { readonly code: string }) => code);
// A ping whose answer will wait in the socket as well.
connection.wake();
// Call and ping are written at the end of this turn, and nothing is read in it.
queueMicrotask(() => queueMicrotask(() => queueMicrotask(stop)));
const answer = await call;
// Until the heartbeat has judged the silence, in two intervals.
await new Promise((resolve) => setTimeout(resolve, 2_500));
console.log(JSON.stringify({ answer, states, error: connection.lastError?.code }));
connection.close();

function stop(): void {
  writeSync(1, "stopping\n");
  process.kill(process.pid, "SIGSTOP");
}
