import { chartFigure } from "../../figures/chart.ts";
import type { ChartSeries } from "../../figures/chart-series.ts";
import { colourOf } from "../../figures/colour-of.ts";
import { mappingFigure } from "../../figures/mapping.ts";
import { colours } from "../../figures/theme.ts";
import type { Estimate } from "../influence.ts";
import type { ContinuationsValues } from "../jobs/continuations.node.ts";
import type { Figure } from "../study.ts";
import type { SamplerMap, SetResult } from "./influence-report.node.ts";

const percent = (value: number): number => 100 * value;

/** Shares against t, in three ways. */
export function chartsOf(set: SetResult): Figure[] {
  const { name, file, samplers, known, timesteps } = set;
  if (samplers.length === 0) return [];
  const x = { label: "t (steps from the data)", domain: [0, timesteps] as const };
  const y = (label: string) => ({ label, domain: [-4, 104] as const });
  const exact = known ? [exactSeries(known)] : [];
  const half = [{ label: "half way from chance to certainty", y: 50 }];
  const svg = chartFigure({
    title: `${name}: how much of the end does the state at time t settle?`,
    columns: 2,
    panels: [
      { title: "share of the variance", x, y: y("explained (%)"), series: [...seriesOf(set, "variance"), ...exact] },
      { title: "share of the distance between ends", x, y: y("explained (%)"), series: seriesOf(set, "distance") },
      {
        title: "same mode, beyond chance",
        x,
        y: y("agreement (%)"),
        series: seriesOf(set, "agreement"),
        references: half,
      },
      {
        title: "same mode, as counted",
        x,
        y: y("probability (%)"),
        series: [...samplers.map(countedSeries), chanceSeries(set)],
      },
    ],
    errorBars: "bands: 95 % intervals over start states",
  });
  return [{ name: `${file}-influence`, caption: chartCaption, svg }];
}

const chartCaption =
  "Time runs from noise (right, t = T) to the sample (left, t = 0). Each curve says how much of the end is settled once the state at t is known. Look at the right edge: what the very start settles; and at where each curve climbs: when the end is decided.";

function seriesOf({ samplers }: SetResult, key: "variance" | "distance" | "agreement"): ChartSeries[] {
  return samplers.map(({ short, values }) => estimateSeries(short, values, values[key]));
}

/** At t = 0 the state is the end. */
function estimateSeries(short: string, { times }: ContinuationsValues, estimates: readonly Estimate[]): ChartSeries {
  const of = (key: keyof Estimate): number[] => [100, ...estimates.map((each) => percent(each[key]))];
  return {
    label: short,
    colour: colourOf("sampler", short),
    x: [0, ...times],
    y: of("value"),
    band: { low: of("low"), high: of("high") },
    dots: true,
  };
}

function countedSeries({ short, values }: SetResult["samplers"][number]): ChartSeries {
  const y = [100, ...values.sameMode.map(percent)];
  return { label: short, colour: colourOf("sampler", short), x: [0, ...values.times], y, dots: true };
}

function chanceSeries({ samplers }: SetResult): ChartSeries {
  const first = samplers.find(({ short }) => short === "DDPM") ?? samplers[0];
  const { times, chance } = first?.values ?? { times: [0], chance: [0] };
  return {
    label: "two different starts (chance)",
    colour: colours.noise,
    x: [...times],
    y: chance.map(percent),
    dashed: true,
    dots: false,
  };
}

function exactSeries({ times, shares }: NonNullable<SetResult["known"]>): ChartSeries {
  const y = [100, ...shares.map(percent)];
  return { label: "perfect model, all steps", colour: colours.ink, x: [0, ...times], y, dashed: true, dots: false };
}

/** Ends in the colours of their starts; DDIM first, with more and more noise. */
export function mapOf({ name, file }: SetResult, maps: readonly SamplerMap[]): Figure[] {
  const [first] = maps;
  if (!first) return [];
  const ordered = [...maps.filter(({ short }) => short !== "DDPM"), ...maps.filter(({ short }) => short === "DDPM")];
  const svg = mappingFigure({
    title: `${name}: which start leads where?`,
    panels: ordered.map(({ short, ends }) => ({ label: `ends, ${short}`, points: ends })),
    keys: first.starts,
    keyLabel: "starts x_T and their colours",
    columnNames: first.columns,
  });
  const caption =
    "Top left: the starts, coloured by place. Other panels: the end of every start, in the colour of the start. Look for order: smooth bands of colour mean that the start settles the end, a salt-and-pepper mixture that it does not.";
  return [{ name: `${file}-start-to-end`, caption, svg }];
}
