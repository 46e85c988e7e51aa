// Errors whose texts or codes do not fit into the headers of gRPC-Web.

import { ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { as, clientBy, PROTOCOLS } from "./client.ts";
import { list } from "./values.ts";

async function failed(protocol: (typeof PROTOCOLS)[number], ...about: string[]) {
  const call = { hub: "slow", method: "fail", arguments: list(about) };
  const error = await clientBy(protocol)
    .invoke(call, await as("alice"))
    .then(() => undefined, ConnectError.from);
  const sizes = [...error!.metadata].map(([name, value]) => name.length + value.length);
  return { text: error!.rawMessage, headers: Math.max(0, ...sizes) };
}

it.each(PROTOCOLS)("a code of 30 KB is cut over %s", async (protocol) => {
  const { text, headers } = await failed(protocol, "€".repeat(10_000));
  expect(text).toBe("As asked.");
  expect(headers).toBeLessThan(2_000);
});

it.each(PROTOCOLS)("a text of 30 KB is cut over %s", async (protocol) => {
  const { text, headers } = await failed(protocol, "teapot", "€".repeat(10_000));
  expect(text).toBe("€".repeat(1_000));
  expect(headers).toBeLessThan(12_000);
});

it.each(PROTOCOLS)(
  "half of a surrogate pair is no fault of the server over %s",
  async (protocol) => {
    expect((await failed(protocol, "teapot", "a\ud800")).text).toBe("a\ufffd");
  },
);

it.each(PROTOCOLS)("a code cut within a surrogate pair over %s", async (protocol) => {
  expect((await failed(protocol, `a${"😀".repeat(1_000)}`)).text).toBe("As asked.");
});
