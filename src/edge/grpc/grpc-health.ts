// gRPC's standard health check (grpc.health.v1), without authentication: load balancers have no tokens, and learn only
// whether the server works.

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { Hub } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
  type HealthCheckRequest,
} from "../../protocols/proto/grpc/health/v1/health_pb.ts";
import { CALL } from "./grpc-call.ts";

/** Names of services with a health; the empty name stands for the whole server. */
const SERVICES: ReadonlySet<string> = new Set(["", Hub.typeName, Health.typeName]);

/** `Watch` is not implemented: it would keep a stream open, and by the specification clients fall back to `Check`. */
export const health: Partial<ServiceImpl<typeof Health>> = {
  /** Throws `not_found` for an unknown service, as the specification has it. */
  check({ service }: HealthCheckRequest, { values }: HandlerContext) {
    if (!SERVICES.has(service)) throw new HubError("not_found", "There is no such service.");
    try {
      checkSetup(values.get(CALL)!.serving.env);
      return { status: Status.SERVING };
    } catch {
      // Misconfigured: every other call is refused with that code, and the reason is in the log.
      return { status: Status.NOT_SERVING };
    }
  },
};
