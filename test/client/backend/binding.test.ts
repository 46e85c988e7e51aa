// A backend over a service binding, in a Worker: the binding of workerd itself, and a class that depends on `this`.

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/client/backend/index.ts";
import { orders } from "./endpoint.ts";

describe("a service binding", () => {
  it("is called as a method, with a request", async () => {
    class Binding {
      readonly #status = 204;
      readonly requests: string[] = [];
      async fetch(request: Request): Promise<Response> {
        this.requests.push(`${request.method} ${request.url}`);
        return new Response(null, { status: this.#status });
      }
    }
    const binding = new Binding();
    await orders(binding).user("bob").unban();
    expect(binding.requests).toEqual(["POST https://h.example/api/hubs/orders/users/bob/:unban"]);
  });

  it("of the engine carries the request, and the answer", async () => {
    const refused = await orders(exports.default)
      .user("bob")
      .unban()
      .catch((error) => error);
    expect(refused).toBeInstanceOf(HubError);
    // `t` is not a valid token, so the worker refuses it. The refusal proves that the request arrived.
    expect(refused.code).not.toBe("unreachable");
    expect(refused.message).not.toBe("");
  });
});
