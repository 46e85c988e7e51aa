// gRPC as an option of `serve`. Separate from server.ts, because its libraries are a fifth of a worker: workers without
// gRPC neither bundle nor install them (`@bufbuild/protobuf`, `@connectrpc/connect`).

import { connectRpc } from "./edge/grpc/grpc-router.ts";
import { GRPC_PATHS } from "./edge/routes/grpc-paths.ts";
import type { OptionalRoutes } from "./edge/routes/route.ts";

/**
 * Connect and gRPC-Web, for all hubs of a worker. Refusals have statuses of their own, and are logged by its router.
 *
 * @example
 * const { Room, Relay, Account, endpoint } = serve([ChatHub], { grpc });
 */
export const grpc: OptionalRoutes = ({ hubs }) => [
  { method: "ALL", paths: GRPC_PATHS, ...{ cors: true, log: false }, handler: connectRpc(hubs) },
];
