// Values of the keys of account-store.ts, and its arguments.

export interface HolderRecord {
  /** The newest version of the rules that the object has applied. */
  readonly told: number;
}

export interface GroupMembership {
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Whether it was added with a time to live: newer memberships do not evict it. */
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
