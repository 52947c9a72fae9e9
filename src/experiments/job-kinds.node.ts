import type { JobKind } from "./job.ts";
import { boundKind } from "./jobs/bound.node.ts";
import { floorsKind } from "./jobs/floors.node.ts";
import { pictureKind } from "./jobs/picture.node.ts";
import { qualityKind } from "./jobs/quality.node.ts";
import { forwardPathsKind } from "./jobs/forward-paths.node.ts";
import { forwardStatesKind } from "./jobs/forward-states.node.ts";
import { noiseDistanceKind } from "./jobs/noise-distance.node.ts";
import { noiseTestKind, noiseTestNullKind } from "./jobs/noise-test.node.ts";
import { reversePathsKind } from "./jobs/reverse-paths.node.ts";
import { continuationsKind } from "./jobs/continuations.node.ts";
import { knownShareKind } from "./jobs/known-share.node.ts";
import { startEndKind } from "./jobs/start-end.node.ts";
import { reverseStatesKind } from "./jobs/reverse-states.node.ts";
import { scoreErrorKind } from "./jobs/score-error.node.ts";
import { scoreFieldKind } from "./jobs/score-field.node.ts";
import { stepLossKind } from "./jobs/step-loss.node.ts";
import { trainKind } from "./jobs/train.node.ts";

/** Every kind of job, so that worker threads find them by name. */
export const jobKinds: readonly JobKind[] = [
  trainKind,
  floorsKind,
  qualityKind,
  pictureKind,
  boundKind,
  forwardStatesKind,
  noiseDistanceKind,
  noiseTestNullKind,
  noiseTestKind,
  forwardPathsKind,
  reversePathsKind,
  stepLossKind,
  continuationsKind,
  knownShareKind,
  startEndKind,
  reverseStatesKind,
  scoreErrorKind,
  scoreFieldKind,
];
