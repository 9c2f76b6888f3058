export * from "../../testing/deadline.ts";
