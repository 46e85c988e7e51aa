// A room of a chat, or an auction, with Svelte: e2e/components.test.ts checks its output.

import { mount, unmount } from "svelte";
import Auction from "./Auction.svelte";
import Room from "./Room.svelte";

const query = new URLSearchParams(location.search);
const room = mount(query.has("auctions") ? Auction : Room, { target: document.body });
const leave = document.body.appendChild(document.createElement("button"));
leave.textContent = "Leave";
leave.addEventListener("click", () => void unmount(room));
