// The figures of the admin page, of what `/api/metrics` answers on a bad day.

import { describe, expect, it } from "vitest";
import { levels, rates } from "../../admin/rates.ts";
import { scrapeOf, withLastKnown, type Scrape } from "../../admin/scrape.ts";

const every = () => true;

interface Answer {
  readonly up?: boolean;
  /** Messages in, of the hub and of the one room that has a series. */
  readonly hub: number;
  readonly room: number;
}

/** A scrape each minute of the hub `chat`; without samples where its index did not answer. */
function scrapesOf(answers: readonly Answer[]): Scrape[] {
  const scrapes: Scrape[] = [];
  for (const [minute, { up = true, hub, room }] of answers.entries()) {
    const samples = [
      `dormouse_connections{hub="chat",room="group:${minute}"} 7`,
      `dormouse_messages_in_total{hub="chat",room="group:${minute}"} ${room}`,
      `dormouse_hub_messages_in_total{hub="chat"} ${hub}`,
    ];
    const text = [`dormouse_hub_up{hub="chat"} ${up ? 1 : 0}`, ...(up ? samples : [])].join("\n");
    const [scrape, before] = [scrapeOf(text, minute * 60_000), scrapes.at(-1)];
    scrapes.push(before ? withLastKnown(scrape, before) : scrape);
  }
  return scrapes;
}

describe("rates", () => {
  it("count what the hub counts, although series of rooms end", () => {
    const scrapes = scrapesOf([
      { hub: 6_000, room: 6_000 },
      { hub: 12_000, room: 3 },
      { hub: 18_000, room: 90_000 },
    ]);
    expect(rates(scrapes, "in", every)).toEqual([100, 100]);
  });

  it("are no leap after a hub's index did not answer", () => {
    const scrapes = scrapesOf([
      { hub: 600_000, room: 0 },
      { up: false, hub: 0, room: 0 },
      { hub: 606_000, room: 0 },
      { hub: 612_000, room: 0 },
    ]);
    expect(rates(scrapes, "in", every)).toEqual([0, 0, 100]);
  });

  it("begin with the second scrape of a hub", () => {
    const empty = scrapeOf("", 0);
    const [first] = scrapesOf([{ hub: 5_000, room: 0 }]);
    expect(rates([empty, { ...first!, at: 60_000 }], "in", every)).toEqual([0]);
  });
});

it("levels are the last known while a hub's index does not answer", () => {
  const scrapes = scrapesOf([
    { hub: 1, room: 1 },
    { up: false, hub: 0, room: 0 },
    { up: false, hub: 0, room: 0 },
  ]);
  expect(levels(scrapes, "connections", every)).toEqual([7, 7, 7]);
  expect(scrapes.map(({ down }) => down.has("chat"))).toEqual([false, true, true]);
});

it("refusals have the hub's count, and rooms theirs", () => {
  const text = [
    'dormouse_hub_refusals_total{hub="chat",code="busy"} 900',
    'dormouse_refusals_total{hub="chat",room="group:a \\"b\\" \\\\ }",code="busy"} 4',
  ].join("\n");
  expect(scrapeOf(text, 0)).toMatchObject({
    refusals: [{ hub: "chat", code: "busy", count: 900 }],
    roomRefusals: [{ hub: "chat", room: 'group:a "b" \\ }', code: "busy", count: 4 }],
  });
});
