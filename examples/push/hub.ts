// Nothing that clients may call: a service publishes, over REST (client.ts), and this worker itself (worker.ts).

import { hub, signedIn } from "dormouse-hubs/hub";

interface NewsClient {
  published(headline: string): void;
}

export const NewsHub = hub<NewsClient>("push", { rooms: { group: { enter: signedIn } } }).methods(
  {},
);
export type NewsHub = typeof NewsHub;
