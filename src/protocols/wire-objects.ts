// Remembers which objects were received from MessagePack clients. If hub code passes one on, it is data and not one of
// the hub's records: its keys stay as the client wrote them.

/** Its constructor returns another object, to which a subclass then adds its private field. */
// oxlint-disable-next-line typescript/no-extraneous-class -- only a constructor can return the object to be marked
class Itself {
  constructor(value: object) {
    // oxlint-disable-next-line no-constructor-return -- the object itself is marked
    return value;
  }
}

/** The mark of an object. A WeakSet would take ten times as long for each object, and the collector's time again. */
class Mark extends Itself {
  readonly #isMarked = true;

  static isOn(value: object): boolean {
    return #isMarked in value && value.#isMarked;
  }
}

class WireObjects {
  /** Whether any client uses MessagePack: until then nothing has to be looked up. */
  isUsed = false;

  /** Remembers the object itself. A copy, such as schemas of objects make, is the hub's own. */
  add(value: object): void {
    this.isUsed = true;
    if (!Mark.isOn(value)) void new Mark(value);
  }

  has(value: object): boolean {
    return Mark.isOn(value);
  }
}

export const wireObjects = new WireObjects();
