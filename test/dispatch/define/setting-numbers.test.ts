// Numbers of a hub's settings: one that is none would bound nothing, and is refused where the hub is served.

import { expect, it } from "vitest";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { hub } from "../../../src/dispatch/define/hub-definition.ts";
import { LIMITS, STATEFUL_RECONNECT } from "../../../src/model/options.ts";

const served = (options: object) => servedHub(hub<object>("chat", options).methods({}));

it.each<[object, string]>([
  [{ limits: { callsPerSecond: Number.NaN } }, "callsPerSecond cannot be NaN (number)"],
  [{ limits: { messageBytes: "1000" } }, "messageBytes cannot be 1000 (string)"],
  [{ limits: { callBurst: -1 } }, "callBurst cannot be -1 (number)"],
  [{ limits: { answerSeconds: Infinity } }, "answerSeconds cannot be Infinity (number)"],
  [{ limits: { queuedBytes: null } }, "queuedBytes cannot be null (object)"],
  [{ history: { size: 10 } }, "ttlSeconds cannot be undefined (undefined)"],
  [{ liveness: { sweepSeconds: 0 } }, "sweepSeconds cannot be 0 (number)"],
  [{ rememberGroups: Number.NaN }, "rememberGroups cannot be NaN (number)"],
  [{ limits: { publishBytes: 1024 ** 2 } }, "publishBytes cannot be 1048576; 900000 at most"],
  [{ limits: { stateBytes: 524_289 } }, "stateBytes cannot be 524289; 524288 at most"],
  [
    { limits: { connectionsPerObject: 40_000 } },
    "connectionsPerObject cannot be 40000; 32768 at most",
  ],
  [
    { limits: { connectionsPerRelay: 40_000 } },
    "connectionsPerRelay cannot be 40000; 32768 at most",
  ],
  [{ signalR: { handshakeSeconds: -1 } }, "handshakeSeconds cannot be -1 (number)"],
  [
    { signalR: { statefulReconnect: { awaySeconds: Number.NaN } } },
    "awaySeconds cannot be NaN (number)",
  ],
])("%o is refused", (options, words) => {
  expect(() => served(options)).toThrow(new TypeError(`Hub chat: ${words}.`));
});

it("undefined is as if it were absent, and zero forbids", () => {
  const { limits, graceSeconds, signalR } = served({
    ...{ limits: { callsPerSecond: undefined, streamsPerConnection: 0, stateBytes: 524_288 } },
    ...{
      liveness: { graceSeconds: 0 },
      signalR: { statefulReconnect: { awaySeconds: undefined } },
    },
  }).settings;
  expect(limits).toEqual({ ...LIMITS, streamsPerConnection: 0, stateBytes: 524_288 });
  expect(graceSeconds).toBe(0);
  expect(signalR.statefulReconnect).toEqual(STATEFUL_RECONNECT);
});
