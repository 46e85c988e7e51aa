// Which objects came from MessagePack clients as they are. Hub code that passes one on passes data: its keys are not
// those of a record of the hub, and stay as the client wrote them.

class WireObjects {
  /** By identity, for as long as hub code has the object. A copy, as schemas of objects make it, is the hub's own. */
  readonly #objects = new WeakSet();
  /** Whether any client uses MessagePack: without one, nothing has to be looked up. */
  isUsed = false;

  add(value: object): void {
    this.isUsed = true;
    this.#objects.add(value);
  }

  has(value: object): boolean {
    return this.#objects.has(value);
  }
}

export const wireObjects = new WireObjects();
