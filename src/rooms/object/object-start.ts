// The start of an object at a wake: its parts, and what is made from them. Where the storage cannot be read, the object
// starts all the same, so that it can answer with a stable code, and can be erased.

import { CLOSE, HubError, reasonOf } from "../../model/errors.ts";
import { storageCorrupt } from "../platform/object-storage.ts";
import { accountStub, objectName } from "../rpc/object-names.ts";
import { AdmissionCache } from "./admission-cache.ts";
import { ObjectHost } from "./object-host.ts";
import type { ObjectKind, ObjectParts, PartsInput } from "./object-parts.ts";

export interface Started<P> {
  readonly parts: P;
  readonly host: ObjectHost;
  readonly admissions: AdmissionCache;
}

export class ObjectStart<P extends ObjectParts> {
  readonly #input: PartsInput;
  readonly #build: ObjectKind<P>["build"];
  #started: Started<P> | HubError;

  /** Throws what another deploy can mend: `storage_too_new`, and failures of migrations. */
  constructor(
    input: PartsInput,
    { build, healsItself }: Pick<ObjectKind<P>, "build" | "healsItself">,
  ) {
    this.#input = input;
    this.#build = build;
    this.#started = this.#start();
    if (healsItself && this.fault) input.ctx.waitUntil(this.heal());
  }

  #start(): Started<P> | HubError {
    const { ctx, env, objects, receiver } = this.#input;
    const parts = this.#partsOrFault();
    if (parts instanceof HubError) return parts;
    const { address, settings } = parts;
    const admissions = new AdmissionCache({
      self: objectName(address),
      limits: settings.limits,
      account: (user) => accountStub(objects, { tenant: address.tenant, user }),
    });
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
    const host = new ObjectHost(parts, { env, receiver, admissions, waitUntil });
    return { parts, host, admissions };
  }

  #partsOrFault(): P | HubError {
    try {
      return this.#build(this.#input);
    } catch (error) {
      if (error instanceof HubError && error.code === "storage_corrupt") return error;
      // A value that is stored as JSON, and is none any more.
      if (error instanceof SyntaxError) return storageCorrupt(this.#input.ctx.id.name, error);
      throw error;
    }
  }

  /** `storage_corrupt`, or undefined for an object that works. */
  get fault(): HubError | undefined {
    return this.#started instanceof HubError ? this.#started : undefined;
  }

  /** Throws the fault. */
  get sound(): Started<P> {
    if (this.#started instanceof HubError) throw this.#started;
    return this.#started;
  }

  /** Deletes the storage, whatever it is like, and starts anew. Clients that are here are closed, and come back. */
  async heal(): Promise<void> {
    const { ctx } = this.#input;
    for (const socket of ctx.getWebSockets())
      socket.close(CLOSE.interrupted, reasonOf(CLOSE.interrupted));
    const deleted = Promise.all([ctx.storage.deleteAlarm(), ctx.storage.deleteAll()]);
    this.#started = this.#start();
    await deleted;
  }
}
