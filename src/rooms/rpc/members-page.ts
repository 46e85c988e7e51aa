// Pages of a room's connections: object after object, each in the order of connection ids.

export interface ConnectionEntry {
  readonly connectionId: string;
  readonly userId: string;
}

/** Connections of one object. */
export interface MembersQuery {
  /** As a topic. */
  readonly room: string;
  /** Connections whose id sorts after this one. */
  readonly after: string;
  readonly limit: number;
}

/** Cursor of a page: the object, empty for the room's own, and the last id listed there. */
export interface MembersCursor {
  readonly holder: string;
  readonly id: string;
}

/** Connections of a room, in all objects. */
export interface ConnectionsQuery {
  readonly after?: MembersCursor;
  readonly limit: number;
}

export interface ConnectionsPage {
  readonly connections: readonly ConnectionEntry[];
  /** Cursor of the next page; absent on the last one. */
  readonly next?: MembersCursor;
}
