import { load } from "../support/suite.ts";

await load("delivery");
