// The paths of the Connect service. They are known without it, because it is an option of `serve`, and heavy.

import type { Route } from "./route.ts";

/** In Hono's syntax. Methods that do not exist are answered here as well. */
export const GRPC_PATHS = ["/dormouse.v1.Hub/*", "/grpc.health.v1.Health/*"] as const;

const NOT_SERVED =
  'This worker serves no gRPC: serve(hubs, { grpc }), with grpc of "dormouse-hubs/server/grpc".';

/** In place of the service. Clients of gRPC read a 404 as UNIMPLEMENTED. */
export const withoutGrpc: Route = {
  method: "ALL",
  paths: GRPC_PATHS,
  ...{ cors: true, log: false },
  handler: () =>
    Response.json(
      { code: "unimplemented", message: NOT_SERVED },
      { status: 404, headers: { "x-dormouse-error": "unimplemented" } },
    ),
};
