// An error as it travels between objects.

export interface Fault {
  readonly code: string;
  readonly message: string;
}
