// A room of a chat with Svelte: e2e/components.test.ts checks its output.

import { mount, unmount } from "svelte";
import Room from "./Room.svelte";

const room = mount(Room, { target: document.body });
const leave = document.body.appendChild(document.createElement("button"));
leave.textContent = "Leave";
leave.addEventListener("click", () => void unmount(room));
