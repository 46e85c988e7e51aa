// Networks of client addresses.

import { expect, it } from "vitest";
import { clientNetwork, networkOf } from "../../src/model/client-network.ts";

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8:1::2", "2001:db8:1:0::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:FFFF:0A00:0000", "10.0.0.0"],
  ["::ffff:0:c000:201", "0:0:0:0::/64"],
])("%s is of the network %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it("a request without an address has no network", () => {
  expect(clientNetwork(new Request("https://edge.example"))).toBeUndefined();
});
