// The tenant of a service that signs with an access key, whatever claim the issuer's tokens have it in: calls of one
// tenant must not reach the rooms of another, and least of all silently those of `default`.

import { SignJWT, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { authenticateClient } from "../../src/auth/client-tokens.ts";
import { authenticateService } from "../../src/auth/service.ts";
import { backend } from "../../src/client/backend/index.ts";
import { SECONDS, SECRET_ENV } from "./tokens.ts";

const KEY = "an access key of 32 bytes or more";
const HUB = "https://edge.example/api/hubs/chat";

/** As Auth0, Firebase and Clerk need it (docs/auth.md). */
const CLAIMS = ["", "org_id", "firebase.tenant", "o.id"];

const signed = (claims: JWTPayload): Promise<string> =>
  new SignJWT({ exp: SECONDS + 600, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(KEY));

const asked = (url: string, token: string) =>
  new Request(url, { headers: { authorization: `Bearer ${token}` } });

describe.each(CLAIMS)("with TENANT_CLAIM=%s", (TENANT_CLAIM) => {
  const env = { ...SECRET_ENV, ACCESS_KEYS: KEY, TENANT_CLAIM };
  const tenantOf = async (claims: JWTPayload) => {
    const request = asked(HUB, await signed({ aud: HUB, ...claims }));
    return (await authenticateService(request, env, SECONDS * 1000)).tenant;
  };

  it("a call of `backend` is of the tenant that its options name", async () => {
    const tenants: string[] = [];
    const fetcher = async (input: string | URL | Request, init?: RequestInit) => {
      const { tenant } = await authenticateService(new Request(input, init), env);
      tenants.push(tenant);
      return Response.json({ epoch: "e", offset: 1 });
    };
    const url = "https://edge.example/hubs/chat";
    for (const options of [{ tenant: "acme" }, {}])
      await backend({
        url,
        accessKey: KEY,
        fetcher: { fetch: fetcher as typeof fetch },
        ...options,
      }).publish("group:a", "said", []);
    expect(tenants).toEqual(["acme", "default"]);
  });

  it("a service's token is of the tenant in the issuer's claim, else of that in `tid`", async () => {
    expect(await tenantOf({ tid: "acme" })).toBe("acme");
    expect(await tenantOf({ tid: "other", [TENANT_CLAIM || "tid"]: "acme" })).toBe("acme");
    expect(await tenantOf({ [TENANT_CLAIM || "tid"]: "acme" })).toBe("acme");
    expect(await tenantOf({})).toBe("default");
    await expect(tenantOf({ tid: "" })).rejects.toMatchObject({ code: "token_claim_invalid" });
  });

  it("a client's token, signed by an application's own negotiation, as well", async () => {
    const url = "https://edge.example/client/?hub=chat";
    const request = asked(url, await signed({ aud: url, nameid: "zoe", tid: "acme" }));
    const user = await authenticateClient(request, env, SECONDS * 1000);
    expect(user).toMatchObject({ id: "zoe", tenant: "acme" });
  });

  it("a client's token keeps the issuer's claim beside Entra's `tid`, and gets no other claim", async () => {
    const url = "https://edge.example/client/?hub=chat";
    const userOf = async (claims: JWTPayload) =>
      authenticateClient(asked(url, await signed({ aud: url, ...claims })), env, SECONDS * 1000);
    const entra = { tid: "72f988bf-86f1-41af-91ab-2d7cd011db47", [TENANT_CLAIM || "tid"]: "acme" };
    expect((await userOf({ nameid: "zoe", ...entra })).tenant).toBe("acme");
    const { claims, tenant } = await userOf({ nameid: "zoe" });
    expect(tenant).toBe("default");
    expect(Object.keys(claims).toSorted()).toEqual(["aud", "exp", "nameid", "sub"]);
  });
});
