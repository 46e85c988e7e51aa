// What connections of one account may send together: closing and coming back gives nothing, and takes nothing.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import {
  endInbound,
  InboundAccounts,
  spendBytes,
  spendMessages,
} from "../../../src/rooms/connection/inbound-budget.ts";

const limits = { ...LIMITS, messagesPerSecond: 100, messageBurst: 400, callsPerSecond: 1 };
const accounts = (...here: string[]) =>
  new InboundAccounts(limits, { named: (one) => new Set(here.filter((name) => name === one)) });

interface Sender {
  readonly id: string;
  readonly guestFrom?: string;
}

const connectionOf = (inboundAccounts: InboundAccounts, user: Sender) => ({
  ...{ user, inboundAccounts, inbound: undefined },
});
type Sending = ReturnType<typeof connectionOf>;

/** How many messages go before one is refused. */
function flood(connection: Sending): number {
  let sent = 0;
  while (sent < 100_000 && spendMessages(connection, 1, limits)) sent++;
  return sent;
}

/** The same of so many connections, one after another. */
const floods = (object: InboundAccounts, user: Sender, count: number): number =>
  Array.from({ length: count }, () => {
    const connection = connectionOf(object, user);
    const sent = flood(connection);
    endInbound(connection);
    return sent;
  }).reduce((sum, sent) => sum + sent, 0);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 0 }));
afterEach(() => void vi.useRealTimers());

describe("a connection", () => {
  it("sends its burst at once, and its rate after that", () => {
    const connection = connectionOf(accounts(), { id: "alice" });
    expect(flood(connection)).toBe(400);
    vi.setSystemTime(1_000);
    expect(flood(connection)).toBe(100);
  });

  it("sends its bytes likewise, also more at once than a portion", () => {
    const connection = connectionOf(accounts(), { id: "alice" });
    expect(spendBytes(connection, limits.bytesBurst, limits)).toBe(true);
    expect(spendBytes(connection, 1, limits)).toBe(false);
  });
});

describe("a user's connections", () => {
  it("send as much together as one, also where one comes back again and again", () => {
    const object = accounts();
    expect(floods(object, { id: "alice" }, 50)).toBe(400);
    expect(floods(object, { id: "bob" }, 1)).toBe(400);
    vi.setSystemTime(1_000);
    expect(floods(object, { id: "alice" }, 50)).toBe(100);
  });

  it("leave enough for the next one, where many that say little are here at once", () => {
    const object = accounts();
    const all = Array.from({ length: 100 }, () => connectionOf(object, { id: "alice" }));
    expect(all.map((one) => spendMessages(one, 1, limits))).not.toContain(false);
    expect(all.map((one) => spendBytes(one, 1_000, limits))).not.toContain(false);
  });

  it("leave what they have not sent: short ones that say little are never refused", () => {
    const object = accounts();
    for (let n = 0; n < 400; n++) {
      const connection = connectionOf(object, { id: "alice" });
      expect(spendMessages(connection, 1, limits)).toBe(true);
      endInbound(connection);
    }
    expect(floods(object, { id: "alice" }, 1)).toBe(0);
  });
});

it("guests of one network send ten times as much as one connection", () => {
  const guest = (n: number) => ({ id: `guest-${n}`, guestFrom: "198.51.100.7" });
  const object = accounts();
  const sent = Array.from({ length: 20 }, (_, n) => flood(connectionOf(object, guest(n))));
  expect(sent.reduce((sum, one) => sum + one)).toBe(4_000);
});

it("an account is remembered until time has paid for it, beside a thousand others", () => {
  const object = accounts();
  expect(floods(object, { id: "alice" }, 3)).toBe(400);
  const others = () => {
    for (let n = 0; n < 2_000; n++) object.of({ id: `user-${n}` });
  };
  others();
  expect(floods(object, { id: "alice" }, 1)).toBe(0);
  const before = object.of({ id: "alice" });
  vi.setSystemTime(8_000);
  others();
  expect(object.of({ id: "alice" })).not.toBe(before);
});

it("an account that has a connection here keeps its budget, beside a thousand others", () => {
  const object = accounts("alice");
  const before = object.of({ id: "alice" });
  for (let n = 0; n < 2_000; n++) object.of({ id: `user-${n}` });
  expect(object.of({ id: "alice" })).toBe(before);
});

describe("an account whose flood was ended", () => {
  const calm = (object: InboundAccounts, user: Sender): string => {
    try {
      object.checkCalm(user);
      return "calm";
    } catch (error) {
      return String(error);
    }
  };

  it("is told when it may connect again, and others may at once", () => {
    const object = accounts();
    expect(calm(object, { id: "alice" })).toBe("calm");
    floods(object, { id: "alice" }, 1);
    expect(calm(object, { id: "alice" })).toContain("connect again in 5 s");
    expect(calm(object, { id: "bob" })).toBe("calm");
    vi.setSystemTime(4_001);
    expect(calm(object, { id: "alice" })).toContain("in 1 s");
    vi.setSystemTime(5_000);
    expect(calm(object, { id: "alice" })).toBe("calm");
  });

  it("waits twice as long each time, up to a minute, until it has been calm for a minute", () => {
    const object = accounts();
    const pauses = Array.from({ length: 6 }, () => {
      floods(object, { id: "alice" }, 3);
      const words = calm(object, { id: "alice" });
      const seconds = Number(/in (\d+) s/.exec(words)?.[1]);
      vi.setSystemTime(Date.now() + seconds * 1_000);
      expect(calm(object, { id: "alice" })).toBe("calm");
      return seconds;
    });
    expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
    vi.setSystemTime(Date.now() + 60_000);
    floods(object, { id: "alice" }, 1);
    expect(calm(object, { id: "alice" })).toContain("in 5 s");
  });

  it("is a network's only where its guests together have sent too much", () => {
    const object = accounts();
    const guest = (n: number): Sender => ({ id: `guest:${n}`, guestFrom: "192.0.2.1" });
    floods(object, guest(1), 1);
    expect(calm(object, guest(1))).toBe("calm");
    for (let n = 2; n <= 12; n++) floods(object, guest(n), 1);
    expect(calm(object, guest(13))).toContain("connect again");
    expect(calm(object, { id: "guest:x", guestFrom: "192.0.2.2" })).toBe("calm");
  });

  it("is not refused for good by a clock that was set back", () => {
    vi.setSystemTime(1_000_000);
    const object = accounts();
    floods(object, { id: "alice" }, 1);
    vi.setSystemTime(0);
    expect(calm(object, { id: "alice" })).toBe("calm");
  });
});
