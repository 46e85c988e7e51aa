// Which relays are asked, level by level, for a client: full ones and those that the platform cannot reach are passed
// by.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RelayChoice, relayOfToken, type Relay } from "../../../src/edge/admit/relay-choice.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import { LEVELS } from "../../../src/rooms/rpc/relay-levels.ts";
import type { Placing } from "../../../src/rooms/rpc/place.ts";

const target = { domain: { tenant: "t", hub: "chat" }, continent: undefined };
const unreachable = (flag: string) => Object.assign(new Error("gone"), { [flag]: true });

/** Relays by name, and an attempt that says what the nth relay that is asked does. */
function relays() {
  const names: string[] = [];
  const getByName = (name: string) => ({ name }) as unknown as Relay;
  const serving = { env: { RELAYS: { getByName } } } as unknown as Placing;
  const choice = new RelayChoice();
  const find = (answers: (number: number) => unknown, more = {}) => {
    names.length = 0;
    return choice.find(serving, { ...target, ...more }, async (relay) => {
      const answer = answers(names.push((relay as unknown as { name: string }).name));
      if (answer instanceof Error) throw answer;
      return answer;
    });
  };
  return { find, names };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  // The same relay of each level, every time.
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => array);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a client", () => {
  it("is taken by the first relay with room, and full ones are skipped for two seconds", async () => {
    const { find, names } = relays();
    expect(await find((n) => (n < 3 ? undefined : `relay ${n}`))).toBe("relay 3");
    const [, , third] = names;
    expect(await find(() => "again")).toBe("again");
    expect(names).toEqual([third]);
    vi.setSystemTime(2_001);
    await find(() => "first");
    expect(names).not.toEqual([third]);
  });

  it.each(["overloaded", "retryable", "durableObjectReset"])(
    "passes a relay by that is %s, which the next does not ask again",
    async (flag) => {
      const { find, names } = relays();
      expect(await find((n) => (n === 1 ? unreachable(flag) : "second"))).toBe("second");
      const [, second] = names;
      await find(() => "second");
      expect(names).toEqual([second]);
    },
  );

  it("gets the platform's error where no relay answers, and `relay_full` where all are full", async () => {
    const one = relays();
    await expect(one.find(() => unreachable("retryable"))).rejects.toThrow("gone");
    expect(one.names).toHaveLength(LEVELS);
    await expect(relays().find(() => undefined)).rejects.toMatchObject({ code: "relay_full" });
  });

  it("gets what a relay throws by itself, at once", async () => {
    const { find, names } = relays();
    await expect(find(() => new Error("a mistake"))).rejects.toThrow("a mistake");
    expect(names).toHaveLength(1);
  });

  it("does not repeat at another relay what must be done once", async () => {
    const { find, names } = relays();
    await expect(find(() => unreachable("retryable"), { isOnce: true })).rejects.toThrow("gone");
    expect(names).toHaveLength(1);
  });

  it("that names itself waits for its relay, which remembers its groups, unless it is full", async () => {
    const { find, names } = relays();
    const named = { key: "alice" };
    await expect(find(() => unreachable("retryable"), named)).rejects.toThrow("gone");
    expect(names).toHaveLength(1);
    expect(await find((n) => (n === 1 ? undefined : "second"), named)).toBe("second");
  });

  it("is told again by full relays, once those of many hubs are remembered", async () => {
    const { find, names } = relays();
    const isFull = async (n: number) => {
      const domain = { tenant: `t${n}`, hub: "chat" };
      await expect(find(() => undefined, { domain })).rejects.toMatchObject({ code: "relay_full" });
      return names.length;
    };
    expect([await isFull(0), await isFull(0)]).toEqual([LEVELS, 0]);
    for (let n = 1; n * LEVELS <= 1_000; n++) await isFull(n);
    expect(await isFull(0)).toBe(LEVELS);
  });
});

describe("the relay of a connection token", () => {
  const tokenOf = (relay: string) => `${"r".repeat(22)}_lxxxxxxx_${"p".repeat(22)}@relay:${relay}`;
  const serving = {
    env: { RELAYS: { getByName: (name: string) => name } },
  } as unknown as Placing;
  const relayOf = (token: string) => relayOfToken(serving, target.domain, token);

  it("is the one that the token names, of the domain of its user", () => {
    expect(relayOf(tokenOf("weur.1.1"))).toBe(objectName({ ...target.domain, relay: "weur.1.1" }));
  });

  it.each([
    ["of a room that is full", tokenOf("weur.1.1,group:lobby")],
    ["that cannot be", tokenOf("weur.1.2")],
    ["of an invented region", tokenOf("mars.0.0")],
    ["in no token", "weur.1.1"],
  ])("is none %s", (_, token) => expect(relayOf(token)).toBeUndefined());
});
