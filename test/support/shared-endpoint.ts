// Endpoints that test files share: the first file that asks has it started, and it ends with the run. Each file that
// asks is a tenant of its own there, and so meets none of the others' rooms and users. To kill it is nobody's right:
// for that, and for other settings, there is `startEndpoint`.

import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type { Keys } from "../../src/cli/dev-vars.ts";
import { signToken } from "../../src/cli/sign-token.ts";
import type { Endpoint } from "./endpoint.ts";

/** `src/worker.ts`, the same with `DEV_TOKENS` and `ADMIN`, or the worker with hubs of the tests (test-endpoint.ts). */
export type Kind = "real" | "pages" | "test";

/** What the process that holds the endpoints answers. */
export interface Shared {
  readonly port: number;
  readonly keys: Keys;
}

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the process with the endpoints answers (global-setup.ts). */
    readonly sharedEndpoints: string;
  }
}

export const sharedEndpoint = (): Promise<Endpoint> => asTenant("real");
export const sharedTestEndpoint = (): Promise<Endpoint> => asTenant("test");
/** It gives tokens of the tenant `default` away, and has the admin page. */
export const sharedPages = (): Promise<Endpoint> => asTenant("pages");

async function asTenant(kind: Kind): Promise<Endpoint> {
  const response = await fetch(`${inject("sharedEndpoints")}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  const { port, keys } = (await response.json()) as Shared;
  const tid = randomUUID();
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, keys },
    token: (user, claims = {}, ttlSeconds = 3_600) =>
      signToken(keys, { user, claims: { tid, ...claims }, ttlSeconds }),
    async [Symbol.asyncDispose]() {},
  };
}
