// Beside names.d.ts, for code of workers and pages: what stands in a block before.

// The package, where a block goes on with one that imports it.
declare const action: typeof import("dormouse-hubs/hub").action;
declare const claim: typeof import("dormouse-hubs/hub").claim;
declare const connect: typeof import("dormouse-hubs/client").connect;
declare const feed: typeof import("dormouse-hubs/hub").feed;
declare const hub: typeof import("dormouse-hubs/hub").hub;
declare const hubAt: typeof import("dormouse-hubs/react").hubAt;
declare const hubContext: typeof import("dormouse-hubs/server").hubContext;
declare const jsonRpc: typeof import("dormouse-hubs/hub").jsonRpc;
declare const method: typeof import("dormouse-hubs/hub").method;
declare const serve: typeof import("dormouse-hubs/server").serve;
declare const useConnection: typeof import("dormouse-hubs/react").useConnection;
declare const useHistory: typeof import("dormouse-hubs/react").useHistory;
declare const useHub: typeof import("dormouse-hubs/react").useHub;
declare const usePresence: typeof import("dormouse-hubs/react").usePresence;
declare const useRoomState: typeof import("dormouse-hubs/react").useRoomState;
declare const useRun: typeof import("dormouse-hubs/react").useRun;
declare const z: typeof import("zod");
type Filter = import("dormouse-hubs/hub").Filter;

// Hubs.
declare const AuctionHub: import("project/src/hubs/auction.ts").AuctionHub;
type AuctionHub = typeof AuctionHub;
declare const CalculatorHub: import("project/src/hubs/calculator.ts").CalculatorHub;
declare const ChatHub: import("project/src/hubs/chat.ts").ChatHub;
type ChatHub = typeof ChatHub;
declare const OrderHub: import("project/src/hubs/orders.ts").OrderHub;
type OrderHub = typeof OrderHub;
type ChatClient = { receiveMessage(user: string, text: string): void };
type GreetingClient = { greeted(from: string, text: string): void };
declare const Chat: import("dormouse-hubs/react").HubAt<ChatHub>;
declare const hubs: [ChatHub];
declare const settings: { readonly anonymous: true };
declare const guesses: { bid(state: { price: number }, amount: number): void };

declare const chat: import("dormouse-hubs/client").Connection<ChatHub>;
declare const endpoint: ReturnType<typeof import("dormouse-hubs/server").serve>["endpoint"];
declare const env: Cloudflare.Env;
declare function charge(env: Cloudflare.Env, price: number, card: string): Promise<string>;
declare function publishOutbox(env: Cloudflare.Env): Promise<void>;

declare namespace Cloudflare {
  interface Env {
    ROOMS: never;
    RELAYS: never;
    ACCOUNTS: never;
    JWT_SECRET: string;
    JWT_ISSUER: string;
    JWT_AUDIENCE: string;
    ACCESS_KEY: string;
    DB: D1Database;
    HYPERDRIVE: Hyperdrive;
    ORDERS: KVNamespace;
    SESSIONS: KVNamespace;
    /** A connection string. */
    REALTIME: string;
    STOCK: DurableObjectNamespace<import("project/test/support/database/stock.ts").Stock>;
  }
}
