// [S9] Tokens without credentials are issued to the local demo only, and only where they are enabled.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import worker from "../../src/worker.ts";

interface Asked {
  readonly url?: string;
  readonly body?: BodyInit;
  readonly method?: string;
  readonly origin?: string;
  readonly vars?: Record<string, string>;
}

const ON = { DEV_TOKENS: "1" };
const HERE = "http://127.0.0.1:8787";

async function ask({ url = HERE, body, method = "POST", origin, vars = ON }: Asked = {}) {
  const request = new Request(`${url}/dev/token`, {
    method,
    headers: origin === undefined ? {} : { origin },
    ...(method === "POST" && { body: body ?? '{"user":"alice"}' }),
  });
  const response = await worker.fetch(request, { ...env, ...vars }, createExecutionContext());
  const text = await response.text();
  return {
    status: response.status,
    code: response.headers.get("x-dormouse-error"),
    text,
    response,
  };
}

async function tokenOf(asked: Asked): Promise<string> {
  const { text } = await ask(asked);
  return (JSON.parse(text) as { token: string }).token;
}

const NOWHERE = {
  status: 404,
  code: "not_found",
  text: expect.stringMatching(
    /^\{"error":\{"code":"not_found","message":"There is nothing at this path\."/,
  ),
};

describe("a dev token", () => {
  it.each(["http://localhost:8787", "http://127.0.0.1", "http://[::1]:9000"])(
    "is given to a name on %s, for an hour",
    async (url) => {
      const token = await tokenOf({ url, origin: new URL(url).origin });
      const user = await verifyToken(token, env);
      expect(user).toMatchObject({ id: "alice", tenant: "default", roles: [] });
      expect(Math.abs(user.expiresAt - Date.now() - 3_600_000)).toBeLessThan(70_000);
    },
  );

  it.each(["Manager", "Admin"])("carries the role %s", async (role) => {
    const token = await tokenOf({ body: JSON.stringify({ user: "alice", role }) });
    expect((await verifyToken(token, env)).roles).toEqual([role]);
  });

  it("has its user, role and audience where the server looks for them", async () => {
    const claims = { USER_ID_CLAIM: "uid", ROLES_CLAIM: "realm.roles", AUDIENCE_CLAIM: "azp" };
    const vars = { ...ON, ...claims };
    const token = await tokenOf({ vars, body: '{"user":"alice","role":"Admin"}' });
    expect(await verifyToken(token, { ...env, ...vars })).toMatchObject({
      ...{ id: "alice", roles: ["Admin"] },
    });
  });

  it("is kept by no cache", async () => {
    expect((await ask()).response.headers.get("cache-control")).toBe("no-store");
  });
});

describe("nothing is here", () => {
  it.each<[string, Asked]>([
    ["without DEV_TOKENS", { vars: {} }],
    ["where it is 0", { vars: { DEV_TOKENS: "0" } }],
    ["where it is true", { vars: { DEV_TOKENS: "true" } }],
    ["on a host of the world", { url: "https://hubs.example" }],
    ["on a neighbour's address", { url: "http://192.168.1.5:8787" }],
    ["on every address", { url: "http://0.0.0.0:8787" }],
    ["on a name that begins like ours", { url: "http://localhost.example" }],
    ["on a name that begins like our address", { url: "http://127.0.0.1.nip.io" }],
    ["where the keys are somebody else's", { vars: { ...ON, JWT_SECRET: "" } }],
    ["for a GET", { method: "GET" }],
  ])("%s", async (_, asked) => {
    const { response: _response, ...told } = await ask(asked);
    expect(told).toEqual(NOWHERE);
  });
});

describe("it is refused", () => {
  it.each(["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8787"])(
    "to a page of %s",
    async (origin) => {
      const { status, code } = await ask({ origin });
      expect({ status, code }).toEqual({ status: 403, code: "forbidden_origin" });
    },
  );

  it.each([
    ["", "invalid_arguments"],
    ["nonsense", "invalid_arguments"],
    ["null", "invalid_arguments"],
    ["[]", "invalid_arguments"],
    ['"alice"', "invalid_arguments"],
    ["{}", "invalid_arguments"],
    ['{"user":1}', "invalid_arguments"],
    ['{"user":["alice"]}', "invalid_arguments"],
    ['{"user":""}', "invalid_name"],
    ['{"user":"a\\u0000b"}', "invalid_name"],
    ['{"user":"\\ud800"}', "invalid_name"],
    ['{"user":"guests@192.0.2.1"}', "invalid_name"],
    [`{"user":"${"a".repeat(129)}"}`, "invalid_name"],
    ['{"user":"alice","role":"service"}', "invalid_arguments"],
    ['{"user":"alice","role":"manager"}', "invalid_arguments"],
    ['{"user":"alice","role":["Manager"]}', "invalid_arguments"],
    ['{"user":"alice","role":null}', "invalid_arguments"],
    ['{"user":"alice","role":"constructor"}', "invalid_arguments"],
  ])("for the body %j", async (body, code) => {
    const told = await ask({ body });
    expect({ status: told.status, code: told.code }).toEqual({ status: 400, code });
  });

  it("for a body of more than a kilobyte", async () => {
    const { status, code } = await ask({ body: `{"user":"alice"${" ".repeat(2_000)}}` });
    expect({ status, code }).toEqual({ status: 413, code: "too_large" });
  });

  it("for a body that has no end, of which it reads no more", async () => {
    let pulls = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => void (pulls++, controller.enqueue(new Uint8Array(512))),
    });
    expect(await ask({ body: endless })).toMatchObject({ status: 413, code: "too_large" });
    expect(pulls).toBeLessThan(10);
  });

  it("for a body that is no UTF-8", async () => {
    const body = new Uint8Array([0x7b, 0xff, 0x7d]);
    expect(await ask({ body })).toMatchObject({ status: 400, code: "invalid_arguments" });
  });

  it("to whoever asks for claims beside", async () => {
    const body = '{"user":"alice","tid":"other","caps":["*"],"roles":["service"],"exp":9999999999}';
    const user = await verifyToken(await tokenOf({ body }), env);
    expect(user).toMatchObject({ id: "alice", tenant: "default", roles: [] });
  });
});
