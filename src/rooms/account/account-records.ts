// Values of keys that account-store.ts keeps, and what they are made of.

export interface HolderRecord {
  /** The newest version of the rules that the object has applied. */
  readonly told: number;
}

export interface GroupMembership {
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Added with a time to live: never evicted by newer memberships. */
  readonly timed: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface AddedGroup {
  readonly hub: string;
  readonly group: string;
  /** Undefined: for a year. */
  readonly ttlSeconds: number | undefined;
}
