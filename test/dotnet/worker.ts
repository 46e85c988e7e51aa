// What `npm run test:dotnet` serves: the hubs of src/worker.ts, and those that only SignalR's clients need.

import { hubs, paths } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";
import { DeclaredHub, DeclaredRooms } from "../support/declared-hub.ts";
import { signalrHubs } from "../support/signalr-hubs.ts";
import { ValueHub } from "../support/value-hub.ts";

const { Room, Relay, Account, endpoint } = serve(
  [...hubs, ...signalrHubs, ValueHub, DeclaredHub, DeclaredRooms],
  { paths },
);

export { Room, Relay, Account };
export default endpoint;
