// How hubs' names for their clients' methods are written for SignalR clients, whatever the encoding.

export interface TargetNames {
  /** Targets as the hub names them. Otherwise `ReceiveNotification`, which is what .NET's applications listen to. */
  readonly verbatim: boolean;
}

/** Clients of .NET, Java and Swift tell `receiveNotification` from `ReceiveNotification`; those in JS do not. */
export const writeTarget = (target: string, { verbatim }: TargetNames): string =>
  verbatim ? target : target.charAt(0).toUpperCase() + target.slice(1);
