// gRPC's own health check: open to all, because load balancers have no tokens, and it says only yes or no.

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { readConfig } from "../../auth/auth-config.ts";
import { HubError } from "../../model/errors.ts";
import { Hub } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
  type HealthCheckRequest,
} from "../../protocols/proto/grpc/health/v1/health_pb.ts";
import { ASKING } from "./grpc-call.ts";

/** The empty name is the server as a whole. */
const SERVICES: ReadonlySet<string> = new Set(["", Hub.typeName, Health.typeName]);

/** `Watch` is left out: by its specification clients do without then, and nobody holds a stream for a word. */
export const health: Partial<ServiceImpl<typeof Health>> = {
  check({ service }: HealthCheckRequest, { values }: HandlerContext) {
    if (!SERVICES.has(service)) throw new HubError("not_found", "There is no such service.");
    try {
      readConfig(values.get(ASKING)!.env);
      return { status: Status.SERVING };
    } catch {
      // Misconfigured, as every other answer says.
      return { status: Status.NOT_SERVING };
    }
  },
};
