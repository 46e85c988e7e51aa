// The paths of the Connect service. A file of their own, because the service is large, and an option of `serve`.

import { refusalHeaders } from "../../model/refusal-headers.ts";
import type { Route } from "./route.ts";

/** In Hono's syntax. They also match methods that do not exist. */
export const GRPC_PATHS = ["/dormouse.v1.Hub/*", "/grpc.health.v1.Health/*"] as const;

const NOT_SERVED =
  'This worker serves no gRPC: serve(hubs, { grpc }), with grpc of "dormouse-hubs/server/grpc".';

/** Answers these paths if the service is not part of the worker. gRPC clients read a 404 as UNIMPLEMENTED. */
export const withoutGrpc: Route = {
  method: "ALL",
  paths: GRPC_PATHS,
  ...{ cors: true, log: false },
  handler: () =>
    Response.json(
      { code: "unimplemented", message: NOT_SERVED },
      { status: 404, headers: refusalHeaders("unimplemented", 404) },
    ),
};
