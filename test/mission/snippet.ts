/** What a snippet is given: where the endpoint is, who its user is, and where it shows what it receives. */
export interface Snippet {
  readonly url: string;
  readonly token: string;
  seen(what: string, ...values: unknown[]): void;
}
