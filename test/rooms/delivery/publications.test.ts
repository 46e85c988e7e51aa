// What a call keeps of its publications: a stream may publish for as long as it lives.

import { expect, it, vi } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { Publications, type Ticket } from "../../../src/rooms/delivery/fan-out.ts";
import { range } from "../storage.ts";

const lost = new HubError("unavailable", "Lost.");

it("publications elsewhere are kept until they have arrived, and those that failed", async () => {
  const published = new Publications();
  const late = Promise.withResolvers<void>();
  range(1, 1_000).forEach(() => published.add(Promise.resolve()));
  published.add(late.promise);
  published.add(Promise.reject(lost));
  expect(published.elsewhere.size).toBe(1_002);
  await vi.waitFor(() => expect(published.elsewhere.size).toBe(2));
  await expect(Promise.all(published.elsewhere)).rejects.toBe(lost);
  late.resolve();
  range(1, 1_000).forEach(() => published.add(Promise.reject(lost)));
  await vi.waitFor(() => expect(published.elsewhere.size).toBeLessThan(20));
});

it("publications here are kept until they are saved, and the first that failed", () => {
  const published = new Publications();
  const ticket = (error: HubError | null, isFinal: boolean): Ticket => ({ error, isFinal });
  const [pending, failed] = [ticket(null, false), ticket(lost, true)];
  published.add(pending);
  published.add(failed);
  range(1, 10_000).forEach(() => published.add(ticket(null, true)));
  expect(published.tickets.length).toBeLessThan(100);
  expect(published.tickets.slice(0, 2)).toEqual([pending, failed]);
  range(1, 10_000).forEach(() => published.add(ticket(null, false)));
  expect(published.tickets.length).toBeGreaterThan(10_000);
  for (const one of published.tickets) one.isFinal = true;
  range(1, 20_000).forEach(() => published.add(ticket(null, true)));
  expect(published.tickets.length).toBeLessThan(100);
  expect(published.tickets).toContain(failed);
});
