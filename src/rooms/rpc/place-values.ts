// The jurisdictions and hints that the platform has (docs/design/platform.md#pl23, docs/design/objects.md#pl34).

/** The hints inside of each jurisdiction; others have no effect there. */
const WITHIN: Readonly<Record<DurableObjectJurisdiction, readonly DurableObjectLocationHint[]>> = {
  eu: ["weur", "eeur"],
  us: ["wnam", "enam"],
  fedramp: ["wnam", "enam"],
  "fedramp-high": ["wnam", "enam"],
};

const HINTS: Readonly<Record<DurableObjectLocationHint, true>> = {
  ...{ wnam: true, enam: true, sam: true, weur: true, eeur: true, apac: true, "apac-ne": true },
  ...{ "apac-se": true, oc: true, afr: true, me: true },
};

/** Where an object runs and stores, guaranteed by Cloudflare. */
export type Jurisdiction = DurableObjectJurisdiction;
/** The region near which an object is created, if the platform can. */
export type LocationHint = DurableObjectLocationHint;

/** Undefined and null: none. Throws a sentence about any other value that is no jurisdiction. */
export const checkedJurisdiction = (value: unknown): Jurisdiction | undefined =>
  checked(value, WITHIN, "jurisdiction");

/** Like `checkedJurisdiction`, for a hint. */
export const checkedHint = (value: unknown): LocationHint | undefined =>
  checked(value, HINTS, "locationHint");

function checked<T extends string>(
  value: unknown,
  known: Readonly<Record<T, unknown>>,
  name: string,
): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && Object.hasOwn(known, value)) return value as T;
  const given = value instanceof Promise ? "a promise" : (JSON.stringify(value) ?? typeof value);
  throw new TypeError(
    `place.${name} of serve() is ${given}; it is ${Object.keys(known).join(", ")} or undefined.`,
  );
}

export const liesWithin = (
  jurisdiction: Jurisdiction | undefined,
  hint: LocationHint | undefined,
): boolean =>
  jurisdiction === undefined || (hint !== undefined && WITHIN[jurisdiction].includes(hint));
