// All attacks, by name.

import type { Attack } from "./attack.ts";
import { resume } from "./l1-resume.ts";
import { uncounted } from "./l2-uncounted.ts";
import { births } from "./l3-births.ts";
import { history } from "./l4-history.ts";
import { held } from "./l5-held.ts";
import { ends } from "./l6-ends.ts";
import { audiences } from "./l7-audiences.ts";
import { corrupt } from "./l8-corrupt.ts";
import { readers } from "./l9-readers.ts";
import { halfOpen } from "./l10-half-open.ts";
import { erased } from "./l11-erased.ts";
import { thousand } from "./l12-thousand.ts";
import { twoServers } from "./l13-two-servers.ts";
import { stormOfConnects } from "./l14-storm-of-connects.ts";
import { behind } from "./l15-behind.ts";

import { together } from "./together.ts";
import { storms } from "./r7-storm.ts";
import { slowReaders } from "./r8-slow-readers.ts";
import { flowControl } from "./r9-flow-control.ts";
import { soak } from "./r14-soak.ts";
import { canaries } from "./s9-canaries.ts";
import { caps } from "./s10-caps.ts";
import { slowHandshakes } from "./s11-slow-handshakes.ts";
import { floors } from "./floors.ts";

export const ATTACKS: readonly Attack[] = [
  ...[resume, uncounted, births, history, held, together],
  ...[ends, audiences, corrupt, readers, halfOpen],
  ...[erased, thousand, twoServers, stormOfConnects, behind],
  ...[storms, slowReaders, flowControl, soak],
  ...[canaries, caps, slowHandshakes],
  ...floors,
];
