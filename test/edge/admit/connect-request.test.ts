// What hub code reads of a connection's first request: without credentials, and within a limit.

import { describe, expect, it } from "vitest";
import { connectRequest } from "../../../src/edge/admit/connect-request.ts";

const read = (query: string, headers: Record<string, string> = {}, options = {}) =>
  connectRequest(new Request(`https://edge.example/hubs/chat${query}`, { headers }), options);

describe("the request of a connection", () => {
  it("has the parameters of its query and its headers", () => {
    expect(read("?page=1&q=a%20b", { "X-Page": "2" })).toEqual({
      query: { page: "1", q: "a b" },
      headers: { "x-page": "2" },
    });
    expect(read("")).toEqual({ query: {}, headers: {} });
  });

  it("has the last value of a repeated parameter, be it the shorter one", () => {
    expect(read("?x=a-long-value&x=b").query).toEqual({ x: "b" });
  });

  it("has no credentials, in whatever case they are written, and cookies where the hub asks for them", () => {
    const headers = {
      ...{ Authorization: "Bearer t", Cookie: "c=1", "Sec-WebSocket-Protocol": "t" },
      ...{ "Proxy-Authorization": "Basic t", "X-SignalR-Connection-Token": "s" },
    };
    const query = "?access_token=t&Access_Token=t&ID=s&authorization=x&cookie=y&page=1";
    expect(read(query, headers)).toEqual({ query: { page: "1" }, headers: {} });
    expect(read(query, headers, { cookies: true }).headers).toEqual({ cookie: "c=1" });
  });

  it("keeps a parameter named __proto__ as a name like others", () => {
    const { query } = read("?__proto__=1");
    expect([Object.keys(query), Object.getPrototypeOf(query)]).toEqual([
      ["__proto__"],
      Object.prototype,
    ]);
  });

  it("drops the longest where all together are too long, and cuts none", () => {
    const long = "x".repeat(4_000);
    const { query, headers } = read(`?long=${long}&short=1`, { "x-note": "y".repeat(200) });
    expect(query).toEqual({ short: "1" });
    expect(headers).toEqual({ "x-note": "y".repeat(200) });
  });
});
