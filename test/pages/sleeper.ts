// A client that sleeps in the middle of a call: in a process or in a page that is stopped.

import { connect } from "../../src/client/index.ts";
import type { WakingHub } from "../support/waking-hub.ts";

export interface Slept {
  /** What the call gave: `answered`, or the code of its error. */
  readonly answer: string;
  /** The states of the connection since it was asked. */
  readonly states: readonly string[];
  readonly error?: string;
}

/** Calls, pings, and lets `fallAsleep` run before anything can be read. Tells a while after the answer what it was. */
export async function sleepInCall(
  hub: string,
  token: string,
  fallAsleep: () => void,
): Promise<Slept> {
  const states: string[] = [];
  const connection = connect<WakingHub>(hub, { room: "group:bed", token });
  await connection.ready;
  connection.onState(({ status }) => states.push(status));
  const { invoke } = connection.with({ timeoutSeconds: 2 });
  const call = invoke.answerAfter(1_000).catch(({ code }: { readonly code: string }) => code);
  // A ping whose answer will wait in the socket as well.
  connection.wake();
  // Both are written at the end of this turn.
  queueMicrotask(() => queueMicrotask(() => queueMicrotask(fallAsleep)));
  const answer = await call;
  // Until the heartbeat has judged the silence, in two intervals.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const code = connection.lastError?.code;
  const slept = { answer, states: [...states], ...(code !== undefined && { error: code }) };
  connection.close();
  return slept;
}

/** In a page, by a test. */
export interface Page {
  readonly sleepInCall: typeof sleepInCall;
}
if ("document" in globalThis) Object.assign(globalThis, { sleepInCall } satisfies Page);
