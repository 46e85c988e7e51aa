// The place of one life: a tenant of its own, with a hub and rooms, its objects, and the faults that may befall them.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { tenantOf } from "../../../src/rooms/rpc/object-names.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { ask } from "../../edge/rest/service.ts";
import type { Chance } from "../../support/seed.ts";
import type { ObjectParts } from "../../../src/rooms/object/object-parts.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { alarmOf } from "../alarms.ts";
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
  /** Called as time passes, before alarms ring. */
  readonly passing = new Set<() => void>();
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

  /** What objects hold for clients: bytes, connections, sockets. */
  async held(): Promise<string[]> {
    const all = this.objects.map((name) =>
      runInDurableObject(this.stub(name), (object, state) => {
        const { parts } = object as unknown as { readonly parts?: ObjectParts };
        const { connections } = parts ?? {};
        const counts = [connections?.held.held ?? 0, connections?.all.size ?? 0];
        const sockets = state.getWebSockets();
        counts.push(sockets.length);
        const ids = sockets.map((one) => `${attachedOf(one)?.id} in state ${one.readyState}`);
        return counts.some((count) => count > 0) ? [`${name} holds ${counts}: ${ids}`] : [];
      }),
    );
    return (await Promise.all(all)).flat();
  }

  /** Objects that store something, after each alarm has rung when it was due. */
  async stored(): Promise<string[]> {
    const all: string[] = [];
    for (const name of this.objects) {
      // oxlint-disable no-await-in-loop -- one after another
      const object = this.stub(name);
      vi.setSystemTime(Math.max((await alarmOf(object)) ?? 0, Date.now()));
      await runDurableObjectAlarm(object);
      const stored = JSON.stringify(await storedIn(object));
      // oxlint-enable no-await-in-loop
      if (stored !== JSON.stringify(NOTHING)) all.push(`${name}: ${stored}`);
    }
    return all;
  }

  /** Time passes, and each object's alarm rings. */
  async pass(seconds: number): Promise<void> {
    vi.setSystemTime(Date.now() + seconds * 1_000);
    for (const act of this.passing) act();
    for (const name of this.objects)
      // oxlint-disable-next-line no-await-in-loop -- one alarm after another
      await runDurableObjectAlarm(this.stub(name)).catch(() => {});
  }
}
