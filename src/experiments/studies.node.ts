import { forwardStudy } from "./studies/forward.node.ts";
import { influenceStudy } from "./studies/influence.node.ts";
import { parameterisationsStudy } from "./studies/parameterisations.node.ts";
import { reverseStudy } from "./studies/reverse.node.ts";
import { samplingStudy } from "./studies/sampling.node.ts";
import { schedulesStudy } from "./studies/schedules.node.ts";
import { trajectoriesStudy } from "./studies/trajectories.node.ts";
import { varianceStudy } from "./studies/variance.node.ts";
import type { Study } from "./study.ts";

/** Every built-in study, in the order in which one reads them. */
export const studies: readonly Study[] = [
  forwardStudy,
  reverseStudy,
  trajectoriesStudy,
  influenceStudy,
  schedulesStudy,
  samplingStudy,
  parameterisationsStudy,
  varianceStudy,
];
