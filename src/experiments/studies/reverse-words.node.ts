import { at } from "../../math/error.ts";
import { short } from "../../math/short.ts";
import { grouped } from "../../math/text.ts";
import type { ScoreErrorAt, ScoreErrorValues } from "../jobs/score-error.node.ts";
import type { ReverseStatesValues } from "../jobs/reverse-states.node.ts";
import type { ReverseResult } from "./reverse-report.node.ts";

/** 0.0312 as "3.1 %" */
const percent = (share: number): string => `${short(Number((100 * share).toPrecision(2)))} %`;

const worstOf = ({ times }: ScoreErrorValues): ScoreErrorAt =>
  times.reduce((most, each) => (each.relative.mean > most.relative.mean ? each : most));
const bestOf = ({ times }: ScoreErrorValues): ScoreErrorAt =>
  times.reduce((least, each) => (each.relative.mean < least.relative.mean ? each : least));
/** The mean length of an error beside that of the score. */
const lengthOf = ({ relative }: ScoreErrorAt): string => percent(Math.sqrt(Math.max(0, relative.mean)));
/** The network's part of the loss, averaged over t by trapezoids between the measured times. */
function networkPart({ times }: ScoreErrorValues): number {
  const area = (of: (each: ScoreErrorAt) => number): number =>
    times.slice(1).reduce((sum, each, i) => {
      const before = at(times, i);
      return sum + ((of(each) + of(before)) / 2) * (each.t - before.t);
    }, 0);
  return area(({ excess }) => excess.mean) / area(({ bayes, excess }) => bayes.mean + excess.mean);
}

/** What was asked and what came out. */
export function findingsOf(sets: readonly ReverseResult[]): string {
  const sentences = sets.flatMap(({ name, error }) => {
    if (!error) return [];
    const [best, worst] = [bestOf(error), worstOf(error)];
    const why = worst.bayes.mean < 0.5 ? "" : ", where the noise is too small to be told from details of the data";
    return `On ${name} the learned score is off by ${lengthOf(best)} of its size where it is best (t = ${grouped(best.t)}) and by ${lengthOf(worst)} where it is worst (t = ${grouped(worst.t)}${why}); the network's own share of its loss, averaged over t, is ${percent(networkPart(error))}.`;
  });
  if (sentences.length === 0) return "No run that compares the learned score with the exact one gave a result.";
  return `A trained network turns noise into data by following the score, the direction in which noised points get more likely. Its score is compared with the exact one of each data set. ${sentences.join(" ")}`;
}

/** What all data sets have in common. */
export function methodWords(sets: readonly ReverseResult[]): string {
  const steps = grouped(sets[0]?.timesteps ?? 0);
  return [
    `The forward process adds noise to data in T = ${steps} small steps. The reverse process starts from pure noise at t = T and takes the steps back: at each t the network looks at all of the state x_t, says which noise ε it takes to be in it, and a little of that noise is removed (ancestral sampling, DDPM, with all ${steps} steps; a little fresh noise is added again). From the predicted noise follows the predicted end x̂₀ = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t, where ᾱ_t, the part of the data's variance that is left at t, falls from 1 to nearly 0.`,
    `The predicted noise is also a score: s = −ε/√(1 − ᾱ_t) is an estimate of ∇ log q(x_t), the direction in which the density q of noised points grows fastest. For the data sets here that direction can be computed exactly from the distribution of the data, so one can see what the network has learned and what it has not.`,
  ].join("\n\n");
}

/** What the strip shows. */
export function stripWords({ states, frames, stateTimes }: ReverseResult): string {
  if (!states) return "The run that walks back from noise failed, so there is nothing to show.";
  const { surprise } = states.values;
  const misses = stateTimes.map((t, i) => `${short(at(surprise, i))} at t = ${grouped(t)}`);
  const moving = frames ? " The moving picture shows every part of the way." : "";
  return [
    `The same points are drawn at falling t, and below them the end that the network foresees for each.${moving} What it foresees misses the later end by ${misses.join(", ")} (root mean square in units of the data's standard deviation; always guessing the middle of the data would miss by about 1). The foreseen ends are averages of all ends that are still possible: that is why in between they lie closer together than the data, and even where there are none.`,
    startWords(states.values, stateTimes),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Beyond this a forecast is worse than always guessing the middle. */
const WORSE_THAN_MIDDLE = 1.2;

/** Why the forecast from noise is wild, where it is. */
function startWords({ surprise, alphasCumprod }: ReverseStatesValues, times: readonly number[]): string {
  if (at(surprise, 0) < WORSE_THAN_MIDDLE) return "";
  const alphaCumprod = at(alphasCumprod, 0);
  const factor = Math.sqrt((1 - alphaCumprod) / alphaCumprod);
  return `The first forecast, at t = ${grouped(at(times, 0))}, is wild: there only √ᾱ_t = ${short(Math.sqrt(alphaCumprod))} of the signal is left, so every error of the predicted noise comes out ${grouped(Math.round(factor))} times as large in x̂₀. It does no harm, as a single step moves the state by very little towards it.`;
}

/** What the field shows. */
export function fieldWords({ field, fieldTimes }: ReverseResult): string {
  if (!field) return "The run that computes the fields failed, so there is nothing to show.";
  const { inPlane, note } = field.values;
  if (!inPlane)
    return "The data have not two columns, so there is no picture of their field; its error is measured below.";
  const exact = note.includes("kernel density")
    ? "The exact field is that of a kernel density of the data (a small Gaussian around each of many points), the best stand-in for an unknown distribution."
    : "The exact field is that of the distribution which the data are drawn from.";
  return `Arrows of both fields at t = ${fieldTimes.map((t) => grouped(t)).join(", ")}. At large t all of them point to the middle of the data; at small t they point to the nearest part of the shape, and are much longer: each panel has its own scale of lengths, given in its heading, so compare directions by eye and lengths by the headings. ${exact} Units are standardised: each column is shifted and scaled to mean 0 and standard deviation 1, as the network sees it.`;
}

/** What the errors say. */
export function errorWords({ name, error, rows }: ReverseResult): string {
  if (!error) return "The run that compares the scores failed, so there is nothing to show.";
  const [best, worst] = [bestOf(error), worstOf(error)];
  const part = networkPart(error);
  const verdict =
    part < 0.05
      ? "so nearly all of the loss is there whatever the network: a low loss is not what tells a good model from a better one"
      : "so better or longer training could still win a visible part of the loss";
  return [
    `Over ${grouped(rows)} noised points at each t (${error.note}), the error of the learned score, E‖s_θ − s‖²/E‖s‖², is least at t = ${grouped(best.t)} with ${short(best.relative.mean)} (an error of ${lengthOf(best)} of the score's size) and largest at t = ${grouped(worst.t)} with ${short(worst.relative.mean)} (${lengthOf(worst)}).`,
    smallTimesWords(worst),
    `The training loss, the mean squared error of the predicted noise, has two parts. The Bayes loss remains even with the exact answer, since a noised point does not tell which noise is in it. The rest is the network's share. On ${name} that share is ${percent(part)} of the loss, averaged over t, ${verdict}.`,
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Why the relative error is large at small t, where it is. */
function smallTimesWords({ t, bayes, excess }: ScoreErrorAt): string {
  if (bayes.mean < 0.5) return "";
  return `At t = ${grouped(t)} the added noise is much smaller than the details of the data, so it can hardly be told from them: the exact answer is nearly "no noise to be seen" (the Bayes loss is ${short(bayes.mean)}, where 1 would be nothing at all), and a small error of the network (${short(excess.mean)}) is large beside it. Steps at such t move points by very little, so this costs sharp detail but not the shape.`;
}
