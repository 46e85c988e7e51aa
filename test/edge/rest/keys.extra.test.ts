// Which tokens of services are taken: signed with an access key for this URL, or of our issuer with the role.

import { env, exports } from "cloudflare:workers";
import { decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { authenticateClient } from "../../../src/auth/client-tokens.ts";
import { token } from "../../rooms/client.ts";
import {
  ask,
  KEY,
  OLD_KEY,
  ORIGIN,
  refusal,
  serviceToken,
  signedFor,
  type Signing,
} from "./service.ts";

const PATH = "/hubs/chat/rooms/group:lobby/presence_stats";
const URL_OF = `${ORIGIN}/api${PATH}`;
const outcome = async (sign: Signing) => refusal(await ask("GET", PATH, { sign }));
const seconds = () => Math.floor(Date.now() / 1000);

/** A token of a header and claims as they are written here. */
async function signedText(header: string, claims: string): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const base64url = (part: Uint8Array) =>
    part.toBase64({ alphabet: "base64url", omitPadding: true });
  const signed = `${base64url(bytes(header))}.${base64url(bytes(claims))}`;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(KEY), hmac, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, bytes(signed));
  return `${signed}.${base64url(new Uint8Array(mac))}`;
}

describe("a token signed with an access key", () => {
  it.each<[string, string]>([
    ["as it is", URL_OF],
    ["with a query", `${URL_OF}?api-version=2024-12-01`],
    ["with a slash at its end", `${URL_OF}/`],
    ["with scheme and host in capitals", URL_OF.replace(ORIGIN, ORIGIN.toUpperCase())],
    ["with the default port", URL_OF.replace("example/", "example:443/")],
  ])("is taken for the URL %s", async (_, aud) => {
    expect(await outcome({ claims: { aud } })).toEqual([200, null]);
    expect(await outcome({ claims: { aud: ["https://elsewhere.example", aud] } })).toEqual([
      200,
      null,
    ]);
  });

  it("is taken without the port that it is sent to, as Azure's management SDK signs it", async () => {
    const url = URL_OF.replace("example/", "example:8787/");
    const fetched = async (aud: string) => {
      const authorization = `Bearer ${await signedFor(aud)}`;
      return refusal(await exports.default.fetch(url, { headers: { authorization } }));
    };
    expect(await fetched(url)).toEqual([200, null]);
    expect(await fetched(URL_OF)).toEqual([200, null]);
    expect(await fetched(url.replace("8787", "8788"))).toEqual([401, "token_wrong_audience"]);
  });

  it.each<[string, unknown]>([
    ["another path", URL_OF.replace("lobby", "other")],
    ["a room whose name differs by case", URL_OF.replace("lobby", "Lobby")],
    ["the whole URL in capitals", URL_OF.toUpperCase()],
    ["another host", URL_OF.replace("edge.", "edge2.")],
    ["another port", URL_OF.replace("example/", "example:8443/")],
    ["another scheme", URL_OF.replace("https", "http")],
    ["the origin alone", ORIGIN],
    ["no URL", "dormouse"],
    ["nothing", undefined],
    ["an empty list", []],
  ])("is refused for %s", async (_, aud) => {
    const [status, code] = await outcome({ claims: { aud } });
    expect([status, code]).toEqual([401, "token_wrong_audience"]);
  });

  it("is taken of both keys while they change, and of no other", async () => {
    expect(await outcome({ key: KEY })).toEqual([200, null]);
    expect(await outcome({ key: OLD_KEY })).toEqual([200, null]);
    expect(await outcome({ key: "x".repeat(40) })).toEqual([401, "token_bad_signature"]);
    expect(await outcome({ key: `${KEY},${OLD_KEY}` })).toEqual([401, "token_bad_signature"]);
  });

  it("ends, and says when", async () => {
    expect(await outcome({ claims: { exp: seconds() - 61 } })).toEqual([401, "token_expired"]);
    expect(await outcome({ claims: { exp: undefined } })).toEqual([401, "token_claim_invalid"]);
    expect(await outcome({ claims: { nbf: seconds() + 90 } })).toEqual([
      401,
      "token_not_yet_valid",
    ]);
  });

  it("is HS256, whatever its header says", async () => {
    const [head, body, signature] = (await signedFor(URL_OF)).split(".");
    const none = btoa(JSON.stringify({ alg: "none" })).replaceAll("=", "");
    for (const forged of [`${none}.${body}.`, `${none}.${body}.${signature}`, `${head}.${body}.`])
      expect((await refusal(await ask("GET", PATH, { token: forged })))[0]).toBe(401);
    for (const text of ["", "x", "a.b.c", "..", `${head}.${body}.${signature}.x`])
      expect((await refusal(await ask("GET", PATH, { token: text })))[0]).toBe(401);
  });

  it("is taken for an escaped name, whatever the case of the escape's digits", async () => {
    const url = `${ORIGIN}/api/hubs/chat/rooms/group:caf%C3%A9/presence_stats`;
    const authorization = `Bearer ${await signedFor(url.replace("%C3%A9", "%c3%a9"))}`;
    const response = await exports.default.fetch(url, { headers: { authorization } });
    expect(await refusal(response)).toEqual([200, null]);
  });

  it("is refused where a claim, or a member of its header, stands twice", async () => {
    const [, body] = (await signedFor(URL_OF)).split(".");
    const claims = atob(body!.replaceAll("-", "+").replaceAll("_", "/"));
    const header = '{"alg":"HS256","typ":"JWT"}';
    const twice = `{"aud":"https://elsewhere.example/",${claims.slice(1)}`;
    const tokens = [
      await signedText(header, twice),
      await signedText(`{"kid":"other",${header.slice(1, -1)},"kid":"key1"}`, claims),
    ];
    for (const repeated of tokens)
      expect(await refusal(await ask("GET", PATH, { token: repeated }))).toEqual([
        401,
        "token_malformed",
      ]);
    const once = await signedText(header, claims);
    expect(await refusal(await ask("GET", PATH, { token: once }))).toEqual([200, null]);
  });

  it("opens no hub to a client", async () => {
    const hub = `${ORIGIN}/hubs/chat/negotiate?negotiateVersion=1`;
    const authorization = `Bearer ${await signedFor(hub)}`;
    const response = await exports.default.fetch(hub, {
      method: "POST",
      headers: { authorization },
    });
    expect((await refusal(response))[0]).toBe(401);
  });
});

describe("a token of our issuer", () => {
  it("needs the role, and is of its tenant", async () => {
    expect(await refusal(await ask("GET", PATH, { token: await serviceToken() }))).toEqual([
      200,
      null,
    ]);
    const plain = await token("alice");
    expect(await refusal(await ask("GET", PATH, { token: plain }))).toEqual([403, "forbidden"]);
    const expired = await serviceToken({ exp: seconds() - 90 });
    expect(await refusal(await ask("GET", PATH, { token: expired }))).toEqual([
      401,
      "token_expired",
    ]);
  });

  it("is taken back like any other", async () => {
    const own = await token("robot", { role: "service", jti: "r1" });
    const path = "/hubs/chat/users/robot/:revoke";
    expect(await refusal(await ask("GET", PATH, { token: own }))).toEqual([200, null]);
    expect(await refusal(await ask("POST", path, { body: { jti: "r1" } }))).toEqual([200, null]);
    expect(await refusal(await ask("GET", PATH, { token: own }))).toEqual([401, "token_revoked"]);
  });
});

describe("tenants", () => {
  const publish = (room: string, asking: Parameters<typeof ask>[2]) =>
    ask("POST", `/hubs/chat/rooms/${room}/:publish`, { body: { target: "t" }, ...asking });
  const newest = async (room: string, sign?: Signing) => {
    const response = await ask("GET", `/hubs/chat/rooms/${room}/history`, sign && { sign });
    return (await response.json<{ offset: number }>()).offset;
  };

  it("do not meet: a key speaks for the tenant it names, a token for its own", async () => {
    const other = { claims: { tid: "other" } };
    expect((await publish("group:apart", { sign: other })).status).toBe(200);
    expect(await newest("group:apart")).toBe(0);
    expect(await newest("group:apart", other)).toBe(1);
    expect(
      (await publish("group:apart", { token: await serviceToken({ tid: "third" }) })).status,
    ).toBe(200);
    expect(await newest("group:apart", other)).toBe(1);
    expect(await outcome({ claims: { tid: 7.5 } })).toEqual([401, "token_claim_invalid"]);
    expect(await outcome({ claims: { tid: "a\u0000b" } })).toEqual([401, "token_claim_invalid"]);
  });

  it("have keys of their own, which open no other", async () => {
    const answer = await ask("GET", "/auth/accessKey", {
      token: await serviceToken({ tid: "own/é" }),
    });
    const { AccessKey: key, KeyId: kid } = await answer.json<{
      AccessKey: string;
      KeyId: string;
    }>();
    expect([KEY, OLD_KEY]).not.toContain(key);
    const sign = { key, header: { kid }, claims: { tid: "other" } };
    expect((await publish("group:own", { sign })).status).toBe(200);
    expect(await newest("group:own", { claims: { tid: "own/é" } })).toBe(1);
    expect(await newest("group:own", { claims: { tid: "other" } })).toBe(0);
    for (const stolen of ["tenant:other", "tenant:default", "tenant:%", "tenant:", ""])
      expect((await outcome({ key, header: { kid: stolen } }))[0]).toBe(401);
  });
});

describe("a client's token", () => {
  const connect = async (path: string, bearer: string) => {
    const headers = { authorization: `Bearer ${bearer}` };
    return exports.default.fetch(`${ORIGIN}${path}`, { method: "POST", headers });
  };
  const generated = async (hub: string, query: string, asking = {}) => {
    const response = await ask("POST", `/hubs/${hub}/:generateToken?${query}`, asking);
    expect(response.status).toBe(200);
    return (await response.json<{ token: string }>()).token;
  };

  it("connects where it says, as whom it says, and nowhere else", async () => {
    const made = await generated("relayed", "userId=zoe&minutesToExpire=5");
    expect(decodeProtectedHeader(made).kid).toBe("tenant:default");
    const negotiated = await connect("/client/negotiate?hub=relayed&negotiateVersion=1", made);
    expect(await negotiated.json()).toMatchObject({
      negotiateVersion: 1,
      connectionId: expect.any(String),
    });
    for (const path of [
      "/client/negotiate?hub=chat&negotiateVersion=1",
      "/client/negotiate?negotiateVersion=1",
      "/hubs/relayed/negotiate?negotiateVersion=1",
    ])
      expect([path, (await refusal(await connect(path, made)))[0]]).toEqual([path, 401]);
    expect((await refusal(await ask("GET", PATH, { token: made })))[0]).toBe(401);
  });

  it("is of the service's tenant, and of nobody in particular where no user is named", async () => {
    const sign = { claims: { tid: "other" } };
    const [one, two] = [await generated("relayed", "", { sign }), await generated("relayed", "")];
    for (const made of [one, two])
      expect((await connect("/client/negotiate?hub=relayed", made)).status).toBe(200);
    expect(decodeProtectedHeader(one).kid).toBe("tenant:other");
  });

  it.each([
    ["before", (own: object, renamed: object) => ({ ...renamed, ...own })],
    ["behind", (own: object, renamed: object) => ({ ...own, ...renamed })],
  ])(
    "has its own times, where the application's claims of these names stand %s",
    async (_, order) => {
      const now = seconds();
      const aud = `${ORIGIN}/client/?hub=relayed`;
      const renamed = { "asrs.u.exp": `${now - 3_600}`, "asrs.u.iat": "1", "asrs.u.aud": "app" };
      const claims = order(
        { aud, exp: now + 600, iat: now },
        { ...renamed, "asrs.u.plan": "gold" },
      );
      const bearer = await signedText(
        '{"alg":"HS256"}',
        JSON.stringify({ ...claims, nameid: "zoe" }),
      );
      const headers = { authorization: `Bearer ${bearer}` };
      const url = `${ORIGIN}/client/negotiate?hub=relayed`;
      const user = await authenticateClient(new Request(url, { headers }), env);
      expect(user).toMatchObject({ id: "zoe", expiresAt: (now + 660) * 1000 });
      expect(user.claims).toMatchObject({ aud, exp: now + 600, iat: now, plan: "gold" });
    },
  );
});
