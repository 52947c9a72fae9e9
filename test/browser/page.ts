import * as unnoise from "unnoise";
import { runMoons } from "./moons.ts";
import { runShapes } from "./shapes.ts";

/** The page of the browser tests: Node calls these through the window. */
Object.assign(globalThis, { unnoise, runMoons, runShapes });
