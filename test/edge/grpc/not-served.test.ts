// gRPC is an option of `serve`: a worker without it says so, in a form that clients of gRPC understand.

import { expect, it } from "vitest";
import { endpoint } from "../../../src/edge/app.ts";
import { GRPC_PATHS } from "../../../src/edge/routes/grpc-paths.ts";
import { Hub } from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { Health } from "../../../src/protocols/proto/grpc/health/v1/health_pb.ts";

it("its paths are those of the services", () => {
  expect(GRPC_PATHS).toEqual([`/${Hub.typeName}/*`, `/${Health.typeName}/*`]);
});

it.each(["dormouse.v1.Hub/Invoke", "grpc.health.v1.Health/Check"])(
  "%s is unimplemented, with what to do, where a worker does not serve it",
  async (path) => {
    const request = new Request(`https://edge.example/${path}`, { method: "POST" });
    const response = await endpoint(new Map()).fetch(request, {});
    expect([response.status, await response.json()]).toEqual([
      404,
      { code: "unimplemented", message: expect.stringContaining("serve(hubs, { grpc })") },
    ]);
  },
);
