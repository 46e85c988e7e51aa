// Accounts that cannot be reached: reset by a deploy, or overloaded by clients that all return at once.

import { expect, it } from "vitest";
import { CLOSE } from "../../../src/model/errors.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { closeCodeOf } from "../../../src/rooms/connection/close-socket.ts";
import { AdmissionCache } from "../../../src/rooms/object/admission-cache.ts";
import type { AdmissionReply } from "../../../src/rooms/rpc/account-rpc.ts";
import { userOf } from "../../support/test-user.ts";

const RESET = Object.assign(new Error("reset"), { retryable: true, durableObjectReset: true });
const OVERLOADED = Object.assign(new Error("busy"), { overloaded: true });
const BANNED = { fault: { code: "banned", message: "This user is banned for a time." } };

/** The outcome of a connect whose account gives these answers in turn, and the number of calls and stubs. */
async function connectWith(...answers: (AdmissionReply | Error)[]) {
  let [stubs, calls] = [0, 0];
  const cache = new AdmissionCache({
    ...{ self: "default/chat/group/lobby", limits: LIMITS },
    account: () => {
      stubs++;
      return {
        admit: async () => {
          const answer = answers[calls++]!;
          if (answer instanceof Error) throw answer;
          return answer;
        },
      };
    },
  });
  const outcome = await cache.begin(userOf({ id: "ada" })).then(
    () => "admitted",
    ({ code }: { code: string }) => code,
  );
  return { outcome, stubs, calls };
}

it.each([
  ["admits a client after a reset, by a fresh stub", [RESET, { groups: [] }], "admitted", 2],
  ["is unavailable after two resets", [RESET, RESET], "unavailable", 2],
  ["is unavailable at once if it is overloaded", [OVERLOADED], "unavailable", 1],
  ["refuses a banned user also after a reset", [RESET, BANNED], "banned", 2],
] as const)("an account %s", async (_, answers, outcome, calls) => {
  expect(await connectWith(...answers)).toEqual({ outcome, stubs: calls, calls });
});

it.each([
  ["banned", CLOSE.banned],
  ["token_revoked", CLOSE.revoked],
  ["unavailable", CLOSE.interrupted],
  ["storage_too_new", CLOSE.interrupted],
  ["too_many_connections", CLOSE.interrupted],
])("only a ban or a revocation ends a connection for good, and not %s", (code, close) => {
  expect(closeCodeOf(code)).toBe(close);
});
