// The worker of support/test-endpoint.ts: the hubs of src/worker.ts, and those that only SignalR's clients need.

import { hubs } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";
import { signalrHubs } from "./signalr-hubs.ts";

const { Room, Relay, endpoint } = serve([...hubs, ...signalrHubs]);

export { Relay, Room };
export default endpoint;
