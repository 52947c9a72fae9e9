import { parseTrainingConfig } from "../../train/config.ts";
import { fileNamesOf } from "../file-names.ts";
import { jobOf } from "../job.ts";
import { forwardPathsKind } from "../jobs/forward-paths.node.ts";
import { reversePathsKind } from "../jobs/reverse-paths.node.ts";
import { baseTraining, nameOf, trainJob } from "../measures.node.ts";
import type { DataSource } from "../data-source.ts";
import type { Scale, Study, StudyOptions } from "../study.ts";
import { presentTrajectories, type TrajectoriesSubject } from "./trajectories-report.node.ts";

const points: Readonly<Record<Scale, number>> = { quick: 1500, full: 2000 };

/** Times at which states are kept. */
const TIMES = 60;

/** Paths of points to noise and back. */
export const trajectoriesStudy: Study = {
  name: "trajectories",
  title: "Trajectories: the ways of points to noise and back",
  question:
    "Which ways do points take from data to noise, and which ways do samplers take back: how long, how straight, and in which order?",
  plan: (options) => {
    const files = fileNamesOf(options.data);
    const subjects = options.data.map((source, index) => subjectOf(source, files[index] ?? "", options));
    const jobs = subjects.flatMap(({ forward, reverse }) => [forward, ...reverse.map(({ job }) => job)]);
    return { jobs, present: (results) => presentTrajectories(subjects, results) };
  },
};

function subjectOf(source: DataSource, file: string, { scale, seed }: StudyOptions): TrajectoriesSubject {
  const name = nameOf({ source });
  const train = trainJob({ source, seed, scale });
  const { timesteps } = parseTrainingConfig({ ...baseTraining[scale], data: source.data });
  const config = { seed, points: points[scale], times: TIMES };
  const forward = jobOf(forwardPathsKind, config, `paths of ${name} to noise`, [train]);
  const reverse = (["ddpm", "ddim"] as const).map((sampler) => ({
    sampler: sampler.toUpperCase(),
    job: jobOf(reversePathsKind, { sampler, seed, times: TIMES }, `paths of ${name} back, ${sampler}`, [
      train,
      forward,
    ]),
  }));
  return { name, file, timesteps, forward, reverse };
}
