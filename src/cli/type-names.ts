// Names in files that `dormouse types` writes: of types in Pascal case, none of them twice.

/** `order-lines` is `OrderLines`; text without a letter or digit is `Value`. */
export function pascal(text: string): string {
  const words = text.match(/[A-Za-z0-9]+/g) ?? ["value"];
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return /^\d/.test(name) ? `_${name}` : name;
}

/** Makes names unique: `Note`, then `Note2`. Names in `taken` are never used. */
export class Names {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  unique(name: string): string {
    let found = name;
    for (let number = 2; this.#taken.has(found); number++) found = `${name}${number}`;
    this.#taken.add(found);
    return found;
  }
}
