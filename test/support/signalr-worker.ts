// The worker of support/test-endpoint.ts: the hubs of src/worker.ts, and those that only stock clients of SignalR and
// of JSON-RPC and gRPC need.

import { grpc } from "../../src/grpc-server.ts";
import { hubs, paths } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";
import { relayHubs } from "./relay-hubs.ts";
import { rpcHubs } from "./rpc-hubs.ts";
import { GuestHub } from "./guest-hub.ts";
import { signalrHubs } from "./signalr-hubs.ts";
import { TallyHub } from "./tally-hub.ts";
import { ValueHub } from "./value-hub.ts";

const { Room, Relay, Account, endpoint } = serve(
  [...hubs, ...signalrHubs, ...relayHubs, ...rpcHubs, GuestHub, ValueHub, TallyHub],
  { paths, grpc },
);

export { Account, Relay, Room };
export default endpoint;
