// Performance targets as gates: each reads the results, and gives its finding and a verdict
// (docs/design/measurement.md#pg1).

import type { Figures } from "./measurement.ts";
import { figuresOf, isOverloaded, type Result } from "./results.ts";

export interface Verdict {
  readonly gate: string;
  readonly found: string;
  /** Undefined where a figure that it needs was not measured. */
  readonly passed: boolean | undefined;
}

type Get = (name: string, server: string) => Figures;

interface Gate {
  readonly gate: string;
  judge(get: Get): { readonly found: string; readonly passed: boolean };
}

class NotMeasured extends Error {}

const times = (value: number): string => `${value.toFixed(2)} ×`;
const ms = (value: number | undefined): string => `${(value ?? Number.NaN).toFixed(1)} ms`;

interface Ratio {
  readonly name: string;
  readonly of: string;
  readonly to: string;
  readonly figure: keyof Figures;
  readonly atLeast?: number;
  readonly atMost?: number;
}

function ratio({ name, of, to, figure, atLeast = 0, atMost = Infinity }: Ratio): Gate {
  const bound = atLeast > 0 ? `≥ ${atLeast} ×` : `≤ ${atMost} ×`;
  return {
    gate: `${name}, ${of}: ${figure} ${bound} ${to}`,
    judge(get) {
      const value = get(name, of)[figure]! / get(name, to)[figure]!;
      return { found: times(value), passed: value >= atLeast && value <= atMost };
    },
  };
}

interface Bounds {
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly serverCpu?: number;
}

/** `logged` sustains the rate within these bounds. */
const sustains = (name: string, { p50Ms = Infinity, p99Ms = Infinity, serverCpu = 1 }: Bounds) =>
  ({
    gate: [
      `${name}, logged: carried`,
      ...(p50Ms < Infinity ? [`p50 ≤ ${p50Ms} ms`] : []),
      ...(p99Ms < Infinity ? [`p99 ≤ ${p99Ms} ms`] : []),
      ...(serverCpu < 1 ? [`CPU ≤ ${serverCpu}`] : []),
    ].join(", "),
    judge(get) {
      const figures = get(name, "logged");
      const cpu = figures.serverCpu;
      return {
        found: isOverloaded(figures)
          ? "overload"
          : `p50 ${ms(figures.p50Ms)}, p99 ${ms(figures.p99Ms)}, CPU ${cpu.toFixed(2)}`,
        passed:
          !isOverloaded(figures) &&
          figures.p50Ms! <= p50Ms &&
          figures.p99Ms! <= p99Ms &&
          (serverCpu >= 1 || cpu <= serverCpu),
      };
    },
  }) satisfies Gate;

/** These servers do not sustain the rate: it shows that the rate needs joined frames. */
const doesNotSustain = (name: string, servers: readonly string[]): Gate => ({
  gate: `${name}: ${servers.join(", ")} cannot carry it`,
  judge(get) {
    const sustaining = servers.filter((server) => !isOverloaded(get(name, server)));
    return {
      found: sustaining.length === 0 ? "none does" : `${sustaining.join(", ")}: carried`,
      passed: sustaining.length === 0,
    };
  },
});

const WAKE_MS = 15;

const wakeTime: Gate = {
  gate: `wake, logged: ≤ ${WAKE_MS} ms over awake`,
  judge(get) {
    const { awakeMs = Number.NaN, wokenMs = Number.NaN } = get("wake", "logged");
    return {
      found: `${ms(awakeMs)} → ${ms(wokenMs)}`,
      passed: wokenMs - awakeMs <= WAKE_MS,
    };
  },
};

const delivered = { figure: "delivered" } as const;

const cpu = { figure: "cpuMicros" } as const;

const GATES: readonly Gate[] = [
  ratio({ name: "saturation", of: "logged", to: "ws", ...delivered, atLeast: 12 }),
  ratio({ name: "saturation", of: "logged", to: "socket.io", ...delivered, atLeast: 20 }),
  ratio({ name: "saturation", of: "logged", to: "partyserver", ...delivered, atLeast: 40 }),
  ratio({ name: "saturation", of: "signalr", to: "nats", ...delivered, atLeast: 1 }),
  ratio({ name: "saturation", of: "signalr", to: "kestrel", ...delivered, atLeast: 3 }),
  ratio({ name: "saturation-256", of: "signalr", to: "nats", ...delivered, atLeast: 1 }),
  ratio({ name: "saturation-256", of: "signalr", to: "kestrel", ...delivered, atLeast: 3 }),
  ratio({ name: "connect", of: "logged", to: "limit", ...cpu, atMost: 1.15 }),
  ratio({ name: "connect", of: "signalr", to: "logged", ...cpu, atMost: 1.25 }),
  ratio({ name: "echo", of: "logged", to: "bare", ...cpu, atMost: 1.6 }),
  ratio({ name: "echo", of: "signalr", to: "kestrel", ...cpu, atMost: 1.3 }),
  ratio({ name: "rooms", of: "logged", to: "limit", ...cpu, atMost: 1.2 }),
  ratio({ name: "rooms", of: "none", to: "bare", ...cpu, atMost: 1.15 }),
  ratio({ name: "rooms", of: "signalr", to: "limit-relay", ...cpu, atMost: 1 }),
  ratio({ name: "push", of: "rest", to: "limit-rest", ...cpu, atMost: 1.3 }),
  ratio({ name: "push", of: "rest-none", to: "limit-rest-none", ...cpu, atMost: 1.3 }),
  ratio({ name: "rpc", of: "rpc-post", to: "limit-rpc", ...cpu, atMost: 1.3 }),
  ratio({ name: "rpc", of: "grpc-unary", to: "rpc-post", ...cpu, atMost: 1.2 }),
  ratio({ name: "sse-rate-20", of: "logged-sse", to: "logged", figure: "p50Ms", atMost: 2 }),
  sustains("rate-500", { p99Ms: 60, serverCpu: 0.95 }),
  doesNotSustain("rate-500", ["ws", "socket.io", "partyserver"]),
  sustains("rate-100", { p99Ms: 50 }),
  doesNotSustain("rate-100", ["bare", "partyserver"]),
  ratio({ name: "rate-20", of: "logged", to: "bare", figure: "p50Ms", atMost: 1.15 }),
  sustains("small-rate-100", { p50Ms: 1.2 }),
  sustains("small-rate-1000", { p99Ms: 15, serverCpu: 0.45 }),
  ratio({ name: "idle", of: "logged", to: "bare", figure: "bytesPerSocket", atMost: 1.15 }),
  wakeTime,
];

export function judgeAll(results: readonly Result[]): Verdict[] {
  const get: Get = (name, server) => {
    const figures = figuresOf(results, name, server);
    if (!figures) throw new NotMeasured(`${name} of ${server}`);
    return figures;
  };
  return GATES.map(({ gate, judge }) => {
    try {
      return { gate, ...judge(get) };
    } catch (error) {
      if (!(error instanceof NotMeasured)) throw error;
      return { gate, found: `not measured: ${error.message}`, passed: undefined };
    }
  });
}
