// One alarm for many duties.

import { describe, expect, it, vi } from "vitest";
import { AlarmAgenda, type Duty } from "../../../src/rooms/platform/alarm-agenda.ts";

function alarmAt(armed: number | null) {
  const set: number[] = [];
  let now = armed;
  return {
    set,
    storage: {
      getAlarm: async () => now,
      sync: async () => {},
      setAlarm: async (at: number | Date) => {
        set.push(Number(at));
        now = Number(at);
      },
    },
  };
}

const duty = (due: number | undefined, run: (now: number) => void = () => {}): Duty => ({
  due: () => due,
  run,
});

/** What the storage answers comes in microtasks. */
const answered = () => new Promise((resolve) => setTimeout(resolve));

describe("an agenda", () => {
  it("sets the alarm once for the earliest of what was asked before it knows", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => []);
    for (const at of [500, 300, 400]) agenda.arm(at);
    await answered();
    expect(set).toEqual([300]);
  });

  it("keeps an earlier alarm that it finds after a wake", async () => {
    const now = Date.now();
    const { storage, set } = alarmAt(now + 100);
    const agenda = new AlarmAgenda(storage, () => [duty(now + 10)]);
    agenda.arm(now + 300);
    agenda.recover();
    await answered();
    agenda.arm(now + 200);
    expect(set).toEqual([]);
    agenda.arm(now + 50);
    expect(set).toEqual([now + 50]);
  });

  it("leaves an alarm to the platform that is late or tried again", async () => {
    const { storage, set } = alarmAt(Date.now() - 130_000);
    const agenda = new AlarmAgenda(storage, () => [duty(700)]);
    agenda.arm(Date.now());
    agenda.recover();
    await answered();
    expect(set).toEqual([]);
  });

  it.each([
    ["that the platform gave up and still reports", Date.now() - 86_400_000],
    ["that the platform has forgotten", null],
  ])("sets an alarm again %s", async (_, found) => {
    const later = Date.now() + 3_600_000;
    const armed = alarmAt(found);
    new AlarmAgenda(armed.storage, () => [duty(700)]).arm(later);
    await answered();
    expect(armed.set).toEqual([later]);
    const woken = alarmAt(found);
    new AlarmAgenda(woken.storage, () => [duty(later), duty(700), duty(undefined)]).recover();
    await answered();
    expect(woken.set).toEqual([700]);
    const idle = alarmAt(found);
    new AlarmAgenda(idle.storage, () => [duty(undefined)]).recover();
    await answered();
    expect(idle.set).toEqual([]);
  });

  it("replaces the platform's last attempts by a later alarm, which is stored before any duty runs", async () => {
    const { storage, set } = alarmAt(null);
    const stored: number[] = [];
    const sync = async () => void stored.push(set.at(-1)!);
    const cutOff = duty(undefined, () => new Promise<void>(() => {}));
    const agenda = new AlarmAgenda({ ...storage, sync }, () => [cutOff]);
    void agenda.ring(500, 3);
    expect(stored).toEqual([]);
    void agenda.ring(600, 4);
    await answered();
    expect(stored).toEqual([600 + 600_000]);
    const healed = new AlarmAgenda(storage, () => [duty(900)]);
    await healed.ring(700, 4);
    expect(set.at(-1)).toBe(900);
  });

  it("does not take the alarm that is ringing for a lost one", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => [duty(900)]);
    agenda.recover();
    await agenda.ring(500);
    await answered();
    expect(set).toEqual([900]);
  });

  it("moves only to what is earlier", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => []);
    agenda.arm(300);
    await answered();
    for (const at of [400, 300, 200, 250]) agenda.arm(at);
    expect(set).toEqual([300, 200]);
  });

  it("asks the platform for times that it takes: neither before 1970 nor long after this life", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => []);
    agenda.arm(1e300);
    await answered();
    agenda.arm(-5);
    expect(set).toEqual([Date.UTC(2100, 0), 1]);
  });

  it("sets what is due next when it has rung, and nothing where nothing is", async () => {
    const { storage, set } = alarmAt(null);
    await new AlarmAgenda(storage, () => [duty(900), duty(undefined), duty(700)]).ring(500);
    expect(set).toEqual([700]);
    const empty = alarmAt(null);
    await new AlarmAgenda(empty.storage, () => [duty(undefined)]).ring(500);
    expect(empty.set).toEqual([]);
  });

  it("meets deadlines that follow each other by milliseconds with few alarms", async () => {
    const { storage, set } = alarmAt(null);
    const deadlines = Array.from({ length: 1_000 }, (_, n) => 500 + n);
    const next = { due: () => deadlines[0], run: (now: number) => void past(now) };
    const past = (now: number) => deadlines.splice(0, deadlines.filter((at) => at <= now).length);
    const agenda = new AlarmAgenda(storage, () => [next]);
    for (let now = 500; deadlines.length > 0; now = set.at(-1)!) await agenda.ring(now);
    expect(set).toEqual([600, 700, 800, 900, 1_000, 1_100, 1_200, 1_300, 1_400, 1_500]);
    agenda.arm(1_501);
    expect(set.at(-1)).toBe(1_600);
  });

  it("sets an alarm that was put off once, however often it is asked for", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => []);
    await agenda.ring(500);
    for (const at of [501, 502, 500, 599]) agenda.arm(at);
    expect(set).toEqual([600]);
  });

  it("is not put off by a clock that was set back", async () => {
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(storage, () => []);
    await agenda.ring(Date.UTC(2099, 0));
    agenda.arm(Date.UTC(2098, 0));
    expect(set).toEqual([Date.UTC(2098, 0)]);
  });

  it("runs every duty although one fails", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const ran: string[] = [];
    const failing = duty(800, () => {
      ran.push("failing");
      throw new Error("Not today.");
    });
    const { storage, set } = alarmAt(null);
    await new AlarmAgenda(storage, () => [failing, duty(900, () => void ran.push("other"))]).ring(
      500,
    );
    expect({ ran, set }).toEqual({ ran: ["failing", "other"], set: [800] });
    logged.mockRestore();
  });

  it("sets the alarm all the same where the storage does not say what is set", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const { storage, set } = alarmAt(null);
    const agenda = new AlarmAgenda(
      { ...storage, getAlarm: () => Promise.reject(new Error("No.")) },
      () => [],
    );
    agenda.arm(300);
    await answered();
    expect(set).toEqual([300]);
    logged.mockRestore();
  });

  it("tries again where the alarm could not be set", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const { storage } = alarmAt(null);
    const setAlarm = vi
      .fn<(at: number | Date) => Promise<void>>()
      .mockRejectedValueOnce(new Error("No."))
      .mockResolvedValue();
    const agenda = new AlarmAgenda({ ...storage, setAlarm }, () => []);
    agenda.arm(300);
    await answered();
    agenda.arm(400);
    expect(setAlarm.mock.calls).toEqual([[300], [400]]);
    logged.mockRestore();
  });
});
