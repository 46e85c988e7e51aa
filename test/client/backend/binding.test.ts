// A backend over a service binding, in a Worker: the engine's own, and one that is a stickler.

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/client/backend/index.ts";
import { orders } from "./endpoint.ts";

describe("a service binding", () => {
  it("is called as a method, with a request", async () => {
    class Binding {
      readonly #status = 204;
      readonly asked: string[] = [];
      async fetch(request: Request): Promise<Response> {
        this.asked.push(`${request.method} ${request.url}`);
        return new Response(null, { status: this.#status });
      }
    }
    const binding = new Binding();
    await orders(binding).user("bob").unban();
    expect(binding.asked).toEqual(["POST https://h.example/api/hubs/orders/users/bob/:unban"]);
  });

  it("of the engine carries the request, and the answer", async () => {
    const refused = await orders(exports.default)
      .user("bob")
      .unban()
      .catch((error) => error);
    expect(refused).toBeInstanceOf(HubError);
    // It says no, since `t` is no token; what matters is that it was asked.
    expect(refused.code).not.toBe("unreachable");
    expect(refused.message).not.toBe("");
  });
});
