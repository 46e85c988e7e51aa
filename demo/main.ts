// The demo: one door, one house.

import { enterHouse } from "./house.ts";
import { openDoor } from "./sign-in.ts";

openDoor(enterHouse);
