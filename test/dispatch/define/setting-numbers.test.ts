// Numbers of a hub's settings: one that is none would bound nothing, and is refused where the hub is served.

import { expect, it } from "vitest";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { hub } from "../../../src/dispatch/define/hub-definition.ts";
import { LIMITS, STATEFUL_RECONNECT } from "../../../src/model/options.ts";

const served = (options: object) => servedHub(hub<object>("chat", options).methods({}));

const ANY = "a number of 0 or more";

it.each<[object, string]>([
  [
    { limits: { callsPerSecond: Number.NaN } },
    `limits.callsPerSecond is ${ANY}, and not NaN (number)`,
  ],
  [{ limits: { messageBytes: "1000" } }, `limits.messageBytes is ${ANY}, and not 1000 (string)`],
  [{ limits: { callBurst: -1 } }, `limits.callBurst is ${ANY}, and not -1 (number)`],
  [
    { limits: { answerSeconds: Infinity } },
    `limits.answerSeconds is ${ANY}, and not Infinity (number)`,
  ],
  [{ limits: { queuedBytes: null } }, `limits.queuedBytes is ${ANY}, and not null (object)`],
  [{ history: { size: 10 } }, `history.ttlSeconds is ${ANY}, and not undefined (undefined)`],
  [
    { liveness: { sweepSeconds: 0 } },
    "liveness.sweepSeconds is a number above 0, and not 0 (number)",
  ],
  [{ liveness: { graceSeconds: -1 } }, `liveness.graceSeconds is ${ANY}, and not -1 (number)`],
  [{ rememberGroups: Number.NaN }, `rememberGroups is ${ANY}, and not NaN (number)`],
  [
    { limits: { publishBytes: 1024 ** 2 } },
    "limits.publishBytes is a number from 0 to 900000, and not 1048576 (number)",
  ],
  [
    { limits: { stateBytes: 524_289 } },
    "limits.stateBytes is a number from 0 to 524288, and not 524289 (number)",
  ],
  [
    { limits: { connectionsPerObject: 40_000 } },
    "limits.connectionsPerObject is a number from 0 to 32768, and not 40000 (number)",
  ],
  [
    { limits: { connectionsPerRelay: 40_000 } },
    "limits.connectionsPerRelay is a number from 0 to 32768, and not 40000 (number)",
  ],
  [
    { signalR: { handshakeSeconds: -1 } },
    `signalR.handshakeSeconds is ${ANY}, and not -1 (number)`,
  ],
  [
    { signalR: { statefulReconnect: { awaySeconds: Number.NaN } } },
    `signalR.statefulReconnect.awaySeconds is ${ANY}, and not NaN (number)`,
  ],
])("%o is refused", (options, words) => {
  expect(() => served(options)).toThrow(new TypeError(`Hub "chat": ${words}.`));
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
