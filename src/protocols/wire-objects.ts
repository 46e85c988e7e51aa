// Remembers which objects were received from MessagePack clients. If hub code passes one on, it is data and not one of
// the hub's records: its keys stay as the client wrote them.

class WireObjects {
  /** By identity, as long as hub code has the object. A copy, such as schemas of objects make, is the hub's own. */
  readonly #objects = new WeakSet();
  /** Whether any client uses MessagePack: until then nothing has to be looked up. */
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
