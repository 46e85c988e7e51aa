// The start of an object at a wake: builds its parts, host and admissions. If the storage cannot be read, the object
// starts nevertheless, so that it can answer with a stable code, and can be erased.

import { CLOSE, isUnexpected, publicError, reasonOf } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { storageCorrupt } from "../platform/object-storage.ts";
import { LOOK_AGAIN_MS } from "../platform/storage-version.ts";
import { accountStub, objectName } from "../rpc/object-names.ts";
import { AdmissionCache } from "./admission-cache.ts";
import { ObjectHost } from "./object-host.ts";
import type { ObjectKind, ObjectParts, PartsInput } from "./object-parts.ts";

export interface StartedObject<P> {
  readonly parts: P;
  readonly host: ObjectHost;
  readonly admissions: AdmissionCache;
}

/** Why an object cannot start. */
interface Fault {
  readonly error: unknown;
  /** True for `storage_corrupt`. False if a deploy or an attempt may fix it: `storage_too_new`, a failed migration. */
  readonly isLasting: boolean;
}

export class ObjectStart<P extends ObjectParts> {
  readonly #input: PartsInput;
  readonly #build: ObjectKind<P>["build"];
  #started: StartedObject<P> | Fault;

  constructor(
    input: PartsInput,
    { build, healsItself }: Pick<ObjectKind<P>, "build" | "healsItself">,
  ) {
    this.#input = input;
    this.#build = build;
    this.#started = this.#start();
    if (healsItself && this.fault?.isLasting) input.ctx.waitUntil(this.heal());
  }

  #start(): StartedObject<P> | Fault {
    const { ctx, env, objects, receiver } = this.#input;
    const parts = this.#partsOrFault();
    if ("error" in parts) return parts;
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

  #partsOrFault(): P | Fault {
    try {
      return this.#build(this.#input);
    } catch (cause) {
      // A stored value is no longer valid JSON.
      const isBroken = cause instanceof SyntaxError;
      const error = isBroken ? storageCorrupt(this.#input.ctx.id.name, cause) : cause;
      return { error, isLasting: publicError(error).code === "storage_corrupt" };
    }
  }

  /** Undefined for an object that works. */
  get fault(): Fault | undefined {
    return "error" in this.#started ? this.#started : undefined;
  }

  /** The started object. Tries again after a temporary fault; throws the fault's error. */
  get sound(): StartedObject<P> {
    if (this.fault?.isLasting === false) this.#started = this.#start();
    if ("error" in this.#started) throw this.#started.error;
    return this.#started;
  }

  /** The alarm, which continues while the object waits for another deploy. */
  async ring(agenda: () => Pick<ObjectParts["agenda"], "ring">, attempt?: number): Promise<void> {
    if (this.fault?.isLasting) return;
    try {
      await agenda().ring(Date.now(), attempt);
    } catch (error) {
      if (!this.fault) throw error;
      // The platform logs only what is thrown.
      if (isUnexpected(error)) logError("alarm_failed", { object: this.#input.ctx.id.name, error });
      await this.#input.ctx.storage.setAlarm(Date.now() + LOOK_AGAIN_MS);
    }
  }

  /** Deletes the storage in any condition, and starts again. Connected clients are closed, and reconnect. */
  async heal(): Promise<void> {
    const { ctx } = this.#input;
    for (const socket of ctx.getWebSockets())
      socket.close(CLOSE.interrupted, reasonOf(CLOSE.interrupted));
    const deleted = Promise.all([ctx.storage.deleteAlarm(), ctx.storage.deleteAll()]);
    this.#started = this.#start();
    await deleted;
  }
}
