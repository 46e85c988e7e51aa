// What `npm run test:dotnet` serves: the hubs of src/worker.ts, and those that only SignalR's clients need.

import { hubs, paths } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";
import { signalrHubs } from "../support/signalr-hubs.ts";

const { Room, Relay, Account, endpoint } = serve([...hubs, ...signalrHubs], { paths });

export { Room, Relay, Account };
export default endpoint;
