// The worker of project "workerd-extra": everything src/worker.ts serves, and hubs that only tests need. Test files
// named *.extra.test.ts run against it.

import { hubs } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";
import { testHubs } from "./hubs.ts";
import { orderHubs } from "./order-hubs.ts";
import { relayHubs } from "./relay-hubs.ts";
import { signalrHubs } from "./signalr-hubs.ts";
import { ValueHub } from "./value-hub.ts";

const { Room, Relay, Account, endpoint } = serve([
  ...hubs,
  ...testHubs,
  ...signalrHubs,
  ValueHub,
  ...relayHubs,
  ...orderHubs,
]);

export { Account, Relay, Room };
export default endpoint;
