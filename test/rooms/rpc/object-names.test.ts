// Names of objects and of connections.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ALL,
  canonicalName,
  formatTopic,
  ROOM_KINDS,
  type Topic,
} from "../../../src/model/topic.ts";
import { relayName } from "../../../src/rooms/rpc/relay-levels.ts";
import {
  connectionId,
  holderOf,
  isRelayName,
  objectName,
  parseObjectName,
  randomId,
  type ObjectAddress,
} from "../../../src/rooms/rpc/object-names.ts";

const isName = (text: string): boolean => {
  try {
    return canonicalName(text) === text;
  } catch {
    return false;
  }
};

/** Names made mostly of what could end a part, and of every kind of unicode. */
const name = fc
  .string({
    unit: fc.oneof(fc.constantFrom("/", "%", ":", "2", "5", "F", "%2F", "%25", "."), fc.string()),
    minLength: 1,
    maxLength: 40,
  })
  .filter(isName);
const unicode = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter(isName);
const topic: fc.Arbitrary<Topic> = fc.oneof(
  fc.record({ kind: fc.constantFrom(...ROOM_KINDS), name: fc.oneof(name, unicode) }),
  fc.constant(ALL),
);
const domain = {
  tenant: fc.oneof(name, unicode),
  hub: fc.stringMatching(/^[a-z][a-z0-9-]{0,63}$/),
};
const relay = fc
  .record({
    region: fc.constantFrom("any", "weur", "apac"),
    room: fc.option(topic.map(formatTopic), { nil: undefined }),
    level: fc.nat(15),
    key: fc.nat(),
  })
  .map(({ region, room, level, key }) =>
    relayName({ region, ...(room !== undefined && { room }) }, level, key),
  );
const address: fc.Arbitrary<ObjectAddress> = fc.oneof(
  { arbitrary: fc.record({ ...domain, topic }), weight: 3 },
  fc.record({ ...domain, relay }),
);

describe("an object's name", () => {
  it("gives back the address it was made of", () => {
    fc.assert(
      fc.property(address, (one) => {
        expect(parseObjectName(objectName(one))).toEqual(one);
        expect(isRelayName(objectName(one))).toBe("relay" in one);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([".", ".."])("may be that of a room %s, which an older version allowed", (dots) => {
    const one: ObjectAddress = { tenant: "t", hub: "h", topic: { kind: "group", name: dots } };
    expect(parseObjectName(objectName(one))).toEqual(one);
  });

  it("is never shared by two addresses", () => {
    fc.assert(
      fc.property(address, address, (one, two) => {
        const same = JSON.stringify(one) === JSON.stringify(two);
        expect(objectName(one) === objectName(two)).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  it.for([
    ["a/b", "c", "a", "b/c"],
    ["a%2Fb", "c", "a/b", "c"],
    ["a%", "2Fb", "a", "%2Fb"],
    ["a", "all", "a/chat/group", "all"],
  ] as const)("keeps %s + %s apart from %s + %s", ([tenant1, name1, tenant2, name2]) => {
    const of = (tenant: string, room: string) =>
      objectName({ tenant, hub: "chat", topic: { kind: "group", name: room } });
    expect(of(tenant1, name1)).not.toBe(of(tenant2, name2));
  });

  it.for(["日", "/", "%", "é"])(
    "is shorter than 1,024 bytes at the longest names of %s",
    (unit) => {
      const longest = unit.repeat(128);
      const text = objectName({
        tenant: longest,
        hub: "h".repeat(64),
        topic: { kind: "order", name: longest },
      });
      expect(new TextEncoder().encode(text).byteLength).toBeLessThan(1_024);
    },
  );
});

describe("a connection's id", () => {
  const random = randomId(new Uint8Array(16).map((_, i) => 255 - i));
  const here = { tenant: "acme", hub: "chat" };

  it("says where the connection lives", () => {
    fc.assert(
      fc.property(address, (home) => {
        expect(holderOf(connectionId(home, random), home)).toEqual(home);
      }),
    );
  });

  it("carries all its random bits, in characters of a URL", () => {
    expect(connectionId({ ...here, topic: ALL }, random)).toBe("__79_Pv6-fj39vX08_Lx8A@all");
  });

  it.for([
    "",
    "alice",
    "@all",
    "__79_Pv6-fj39vX08_Lx8A",
    "__79_Pv6-fj39vX08_Lx8A@",
    "__79_Pv6-fj39vX08_Lx8A@planet:mars",
    "__79_Pv6-fj39vX08_Lx8A@group:",
    "__79_Pv6-fj39vX08_Lx8A@group:a\u0000",
    "__79_Pv6-fj39vX08_Lx8A@relay:",
    ...[
      ...["any.00.0", "any.1.01", "any.0.1", "any.16.0", "any.1e0.0", "mars.0.0", "any.0.0,"],
      "any.0.0,group:cafe\u0301",
    ].map((text) => `__79_Pv6-fj39vX08_Lx8A@relay:${text}`),
    "constructor",
    "__proto__",
  ])("is not %j", (text) => {
    expect(() => holderOf(text, here)).toThrow(
      expect.objectContaining({ code: "connection_not_found" }),
    );
  });
});
