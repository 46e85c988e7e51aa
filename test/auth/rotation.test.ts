// [S5] An issuer rotates its keys twenty times while 500 clients per minute connect.

import { afterEach, expect, it, vi } from "vitest";
import { keyServer, keySet, NOW, outcome, signed, testKey, type TestKey } from "./tokens.ts";

afterEach(() => vi.unstubAllGlobals());

const MINUTE = 60_000;
const A_MINUTE = 500;
const ROTATIONS = 20;
/** Minutes for which a key set counts as fresh, and for which two keys are published at once. */
const FRESH = 10;
const OVERLAP = 3;

it(
  "[S5] refuses nobody while keys overlap, and a key that was taken out within ten minutes",
  { timeout: 60_000 },
  async () => {
    const published: TestKey[] = [await testKey("ES256", "k0")];
    const { env, fetched } = keyServer(() => keySet(...published));
    let [minute, wrong] = [0, 0];
    const connect = async (key: TestKey, times: number): Promise<string[]> => {
      const at = NOW + minute * MINUTE;
      const seconds = { iat: at / 1000, exp: at / 1000 + 300 };
      const bearer = await signed(key, seconds);
      return Promise.all(Array.from({ length: times }, () => outcome(bearer, env, at)));
    };
    for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
      const [old, fresh] = [published[0]!, await testKey("ES256", `k${rotation}`)];
      published.push(fresh);
      for (let passed = 0; passed < OVERLAP; passed++, minute++) {
        // The key is published a minute before it signs, which bounds the fetches for unknown keys.
        const ofFresh = passed === 0 ? 0 : A_MINUTE / 2;
        const outcomes = [
          ...(await connect(old, A_MINUTE - ofFresh)),
          ...(await connect(fresh, ofFresh)),
        ];
        wrong += outcomes.filter((one) => one !== "accepted").length;
      }
      published.shift();
      minute += FRESH;
      expect(await connect(old, 3)).toEqual(Array(3).fill("token_unknown_key"));
      expect(await connect(fresh, 3)).toEqual(Array(3).fill("accepted"));
    }
    expect(wrong).toBe(0);
    // One fetch every ten minutes, one for each new key, and one for each removed key.
    expect(fetched.length).toBeLessThan(ROTATIONS * 6);
  },
);
