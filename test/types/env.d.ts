// Types of the worker for tests: its default export, its objects, its variables.

declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../src/worker.ts");
    durableNamespaces: "Room" | "Relay" | "Account";
  }
  interface Env {
    ROOMS: DurableObjectNamespace<import("../../src/worker.ts").Room>;
    RELAYS: DurableObjectNamespace<import("../../src/worker.ts").Relay>;
    ACCOUNTS: DurableObjectNamespace<import("../../src/worker.ts").Account>;
    JWT_SECRET: string;
    JWT_ISSUER: string;
    JWT_AUDIENCE: string;
    ACCESS_KEYS: string;
    /** Of the hubs in test/support/database. */
    DB: D1Database;
    STOCK: DurableObjectNamespace<import("../support/database/stock.ts").Stock>;
    HYPERDRIVE: Hyperdrive;
    /** Of test/support/placed-worker.ts. */
    PLACED_ROOMS: DurableObjectNamespace;
    PLACED_RELAYS: DurableObjectNamespace;
    PLACED_ACCOUNTS: DurableObjectNamespace;
    EU_ROOMS: DurableObjectNamespace;
    EU_RELAYS: DurableObjectNamespace;
    EU_ACCOUNTS: DurableObjectNamespace;
  }
}
