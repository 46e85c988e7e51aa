// Guests of a deployed demo: what their tokens are, and what keeps them apart and few.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { GUEST_TENANT } from "../../src/auth/guest-tokens.ts";
import { hubs } from "../../src/hubs/index.ts";
import { serve } from "../../src/server.ts";

const ON = { DEMO_GUESTS: "1" };
const AWAY = "https://demo.example";

/** An isolate of its own, with rates that nobody has used. */
function isolate(vars: object = ON) {
  const { endpoint } = serve(hubs);
  return async (body: object, address = "192.0.2.1", headers: Record<string, string> = {}) => {
    const request = new Request(`${AWAY}/dev/token`, {
      method: "POST",
      headers: { "cf-connecting-ip": address, ...headers },
      body: JSON.stringify(body),
    });
    const response = await endpoint.fetch(request, { ...env, ...vars }, createExecutionContext());
    const { token = "" } = await response.clone().json<{ token?: string }>();
    return {
      status: response.status,
      code: response.headers.get("x-dormouse-error"),
      token,
      response,
    };
  };
}

describe("a guest's token", () => {
  it("is given wherever the endpoint is, for ten minutes, in a tenant of guests", async () => {
    const { token } = await isolate()({ user: "alice", role: "Manager" });
    const user = await verifyToken(token, env);
    expect(user).toMatchObject({ id: "alice", tenant: GUEST_TENANT, roles: ["Manager"] });
    expect(Math.abs(user.expiresAt - Date.now() - 600_000)).toBeLessThan(70_000);
    expect(user.limits).toEqual({
      ...{ callsPerSecond: 10, callBurst: 30, messageBytes: 8_192 },
      ...{ groupsPerConnection: 10, streamsPerConnection: 3 },
    });
  });

  it.each(["Admin", "service"])("has no role %s", async (role) => {
    expect(await isolate()({ user: "alice", role })).toMatchObject({
      status: 400,
      code: "invalid_arguments",
    });
  });

  it("is not given without DEMO_GUESTS, nor where the secret is another's", async () => {
    for (const vars of [
      {},
      { DEMO_GUESTS: "0" },
      { ...ON, JWT_SECRET: "" },
      { ...ON, JWT_ISSUER: "" },
    ])
      expect(await isolate(vars)({ user: "alice" })).toMatchObject({ status: 404 });
  });

  it("is given to no page of another origin", async () => {
    expect(
      await isolate()({ user: "alice" }, "192.0.2.1", { origin: "https://elsewhere.example" }),
    ).toMatchObject({ status: 403, code: "forbidden_origin" });
  });

  it("is rated by network: 30 at once, and each of another network has its own", async () => {
    const ask = isolate();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => ask({ user: `user-${at}` }, "2001:db8:1:2::9")),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    const refused = await ask({ user: "alice" }, "2001:db8:1:2:ffff::1");
    expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
    expect(refused.response.headers.get("retry-after")).toBe("6");
    expect(await ask({ user: "alice" }, "2001:db8:1:3::9")).toMatchObject({ status: 200 });
  });

  it("is rated by CONNECT_LIMITER as well, where that is bound", async () => {
    const keys: string[] = [];
    const limit = async ({ key }: { key: string }) => {
      keys.push(key);
      return { success: keys.length < 2 };
    };
    const ask = isolate({ ...ON, CONNECT_LIMITER: { limit } });
    expect(await ask({ user: "alice" })).toMatchObject({ status: 200 });
    const refused = await ask({ user: "alice" });
    expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
    expect(refused.response.headers.get("retry-after")).toBe("10");
    expect(keys).toEqual(["guests of 192.0.2.1", "guests of 192.0.2.1"]);
  });
});
