// The cost of keys in PascalCase, for which each key of an object is compared with its others.

import { expect, it, vi } from "vitest";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";

it("each of 10,000 keys is compared with a few others at most", () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => `k${at.toString(36)}`);
  const params = JSON.stringify([Object.fromEntries(keys.map((key) => [key, 1]))]);
  const codec = signalrMsgpack({ verbatim: false, messagePackKeys: "pascal" });
  let compared = 0;
  const spies = (["includes", "indexOf", "some", "find"] as const).map((name) => {
    const plain = Array.prototype[name] as (this: unknown[], ...args: unknown[]) => unknown;
    return vi.spyOn(Array.prototype, name).mockImplementation(function (
      this: unknown[],
      ...args: unknown[]
    ) {
      compared += this.length;
      return plain.apply(this, args) as never;
    });
  });
  const encoded = codec.encode({ type: "invocation", target: "m", params });
  for (const spy of spies) spy.mockRestore();
  expect(new TextDecoder().decode(encoded as Uint8Array).includes("K7pr")).toBe(true);
  expect(compared).toBeLessThan(50_000);
});
