export * from "../../../src/hubs/auction.ts";
