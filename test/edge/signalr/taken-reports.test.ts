// Reports to a relay about the reader of an event stream: characters taken, as the relay counts them, and not too
// often.

import { expect, it } from "vitest";
import { TakenReports } from "../../../src/edge/signalr/taken-reports.ts";

const KI = 1024;

function reporting() {
  const reports: number[] = [];
  return { reports, taking: new TakenReports((characters) => void reports.push(characters)) };
}

it("reports characters of frames once 64 Ki have been taken, each of them once", () => {
  const { reports, taking } = reporting();
  for (let i = 0; i < 5; i++) taking.add(100 * KI, 30 * KI);
  taking.look(400 * KI);
  taking.look(300 * KI);
  expect(reports).toEqual([]);
  taking.look(200 * KI);
  taking.look(200 * KI);
  expect(reports).toEqual([90 * KI]);
  taking.look(0);
  expect(reports).toEqual([90 * KI]);
});

it("counts no pings and comments, nor chunks that still wait", () => {
  const { reports, taking } = reporting();
  taking.add(3, 0);
  taking.add(80 * KI, 70 * KI);
  taking.add(80 * KI, 70 * KI);
  taking.look(100 * KI);
  expect(reports).toEqual([70 * KI]);
});

it("lets more be written until over 1 Mi characters wait, and again once they are taken", () => {
  const { taking } = reporting();
  taking.add(3_000 * KI, 1024 * KI);
  expect(taking.mayWrite).toBe(true);
  taking.add(1, 1);
  expect(taking.mayWrite).toBe(false);
  taking.look(1);
  expect(taking.mayWrite).toBe(true);
});
