// The place of one life: a tenant of its own, with a hub and rooms, its objects, and the faults that may befall them.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { tenantOf } from "../../../src/rooms/rpc/object-names.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { ask } from "../../edge/rest/service.ts";
import type { Chance } from "../../support/seed.ts";
import { token } from "../client.ts";

const NAMESPACES = [env.ROOMS, env.RELAYS, env.ACCOUNTS] as unknown as DurableObjectNamespace[];

/** Objects that were addressed, by name. Call it in a test: the spy ends with `vi.restoreAllMocks`. */
export function watchObjects(): ReadonlyMap<string, DurableObjectNamespace> {
  const seen = new Map<string, DurableObjectNamespace>();
  const prototype = Object.getPrototypeOf(NAMESPACES[0]) as DurableObjectNamespace;
  const { getByName } = prototype;
  vi.spyOn(prototype, "getByName").mockImplementation(function (this: typeof prototype, name) {
    seen.set(name, this);
    return getByName.call(this, name);
  });
  return seen;
}

export class Site {
  readonly tenant = `life-${crypto.randomUUID()}`;
  readonly hub: string;
  readonly rooms: readonly string[];
  readonly dice: Chance;
  readonly trail: string[] = [];
  readonly #seen: ReadonlyMap<string, DurableObjectNamespace>;

  constructor(
    seen: ReadonlyMap<string, DurableObjectNamespace>,
    { hub, rooms, dice }: Pick<Site, "hub" | "rooms" | "dice">,
  ) {
    [this.#seen, this.hub, this.rooms, this.dice] = [seen, hub, rooms, dice];
  }

  note(what: string): void {
    this.trail.push(what);
  }

  token(user: string, claims: Record<string, unknown> = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    return token(user, { tid: this.tenant, iat, ...claims });
  }

  /** A service of the tenant asks. */
  async ask(method: string, path: string, body?: object): Promise<Response> {
    const access = await this.token("shop", { role: "service" });
    return ask(method, `/hubs/${this.hub}${path}`, { token: access, ...(body && { body }) });
  }

  /** Names of the tenant's objects that were addressed so far. */
  get objects(): string[] {
    return [...this.#seen.keys()].filter((name) => tenantOf(name) === this.tenant);
  }

  stub(name: string): DurableObjectStub {
    return this.#seen.get(name)!.getByName(name);
  }

  /** It sleeps; with `"close"` its sockets are cut. */
  async evict(name: string, webSockets?: "close"): Promise<void> {
    await evictDurableObject(this.stub(name), webSockets && { webSockets }).catch(() => {});
  }

  /** It loses its memory and its sockets. */
  async abort(name: string): Promise<void> {
    const crash = (_: unknown, state: DurableObjectState) => state.abort("A fault.");
    await runInDurableObject(this.stub(name), crash).catch(() => {});
  }

  /** As the platform reports a socket that broke. */
  async lose(name: string, connection: string): Promise<void> {
    await runInDurableObject(this.stub(name), (object, state) => {
      const isIts = (socket: WebSocket) => attachedOf(socket)?.id === connection;
      const socket = state.getWebSockets().find(isIts);
      if (socket) void (object as DurableObject).webSocketClose!(socket, 1006, "", false);
    }).catch(() => {});
  }

  /** Time passes, and each object's alarm rings. */
  async pass(seconds: number): Promise<void> {
    vi.setSystemTime(Date.now() + seconds * 1_000);
    for (const name of this.objects)
      // oxlint-disable-next-line no-await-in-loop -- one alarm after another
      await runDurableObjectAlarm(this.stub(name)).catch(() => {});
  }
}
