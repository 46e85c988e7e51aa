// What tests know of the worker: its default export, its object, its variables.

declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("../../src/worker.ts");
    durableNamespaces: "Room";
  }
  interface Env {
    ROOMS: DurableObjectNamespace<import("../../src/worker.ts").Room>;
    JWT_SECRET: string;
    JWT_ISSUER: string;
    JWT_AUDIENCE: string;
  }
}
