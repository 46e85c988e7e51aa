// The spelling of client methods for SignalR clients, in every encoding.

export interface TargetNames {
  /** Whether targets keep the hub's spelling. Otherwise they are in PascalCase, as .NET applications register them. */
  readonly verbatim: boolean;
}

/** The target on the wire. Clients of .NET, Java and Swift compare the case of names; JavaScript's does not. */
export const writeTarget = (target: string, { verbatim }: TargetNames): string =>
  verbatim ? target : target.charAt(0).toUpperCase() + target.slice(1);
