// The same rights and limits as for every other client: capabilities, limits of tokens, revocation.

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { as, BASE, clientBy, drained, failure, PROTOCOLS, SERVICE } from "./client.ts";
import { list, publication } from "./values.ts";

describe.each(PROTOCOLS)("over %s", (protocol) => {
  const client = clientBy(protocol);

  it("publishes where a capability says so, and nowhere else", async () => {
    const caps = [{ channels: ["group:may"], allow: ["pub"] }];
    const options = await as("alice", { caps });
    const { position } = await client.publish(publication("group:may", "x"), options);
    expect(position).toMatch(/:[1-9]/);
    const elsewhere = client.publish(publication("group:may-not", "x"), options);
    expect(await failure(elsewhere)).toEqual(["PermissionDenied", "forbidden"]);
  });

  it("listens in a closed hub where a capability says so", async () => {
    const request = { hub: "closed", topics: [{ topic: "group:may" }] };
    const caps = [{ channels: ["group:may"], allow: ["sub"] }];
    const options = { ...(await as("alice", { caps })), timeoutMs: 200 };
    expect((await failure(drained(client.subscribe(request, options))))[0]).toBe(
      "DeadlineExceeded",
    );
    const refused = client.subscribe(request, await as("alice"));
    expect(await failure(drained(refused))).toEqual(["PermissionDenied", "forbidden"]);
  });

  it("keeps to the limits of a token", async () => {
    const user = `limited-${protocol}`;
    const options = await as(user, { limits: { callsPerSecond: 1, callBurst: 1 } });
    const call = () => client.invoke({ hub: "zoo", method: "echo", arguments: list([1]) }, options);
    await call();
    expect(await failure(call())).toEqual(["ResourceExhausted", "rate_limited"]);
  });

  it("refuses a token that was revoked", async () => {
    const user = `revoked-${protocol}`;
    const options = await as(user, { jti: "one" });
    const call = () => client.invoke({ hub: "zoo", method: "echo", arguments: list([1]) }, options);
    await call();
    const { headers } = await as("s", SERVICE);
    const revoked = await exports.default.fetch(
      `${BASE}/api/hubs/zoo/users/${encodeURIComponent(user)}/:revoke`,
      {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ jti: "one" }),
      },
    );
    expect(revoked.ok).toBe(true);
    expect(await failure(call())).toEqual(["Unauthenticated", "token_revoked"]);
    const stream = client.subscribe({ hub: "zoo", topics: [{ topic: "group:a" }] }, options);
    expect(await failure(drained(stream))).toEqual(["Unauthenticated", "token_revoked"]);
  });
});
