import { load } from "../support/suite.ts";

await load("metrics");
