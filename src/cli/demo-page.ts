import { metricFigure } from "../figures/metric.ts";
import { reportPage, type ReportFigure, type ReportSection } from "../figures/report.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import { qualityRows, type Quality } from "./quality.ts";
import { counted } from "../math/text.ts";

export interface DemoPageOptions {
  readonly run: OpenRun;
  readonly quality: Quality;
  /** The command that made it. */
  readonly command: string;
  /** Pictures by the name of their file. */
  readonly shown: ReadonlyMap<string, ReportFigure>;
}

/** The page of the demo. */
export function demoPage({ run, quality, command, shown }: DemoPageOptions): string {
  const pick = (...files: readonly string[]): ReportFigure[] => files.flatMap((file) => shown.get(file) ?? []);
  const sections: ReportSection[] = [
    {
      heading: "From noise to data",
      text: `A network learned to take noise away from points on a spiral. Sampling starts from pure noise and takes it away step by step.`,
      figures: pick("reverse.gif"),
    },
    {
      heading: "Samples",
      text: "New points, drawn on top of points of the data.",
      figures: pick("samples-ddpm.png", "samples-ddim.png"),
    },
    {
      heading: "How good they are",
      text: `${counted(quality.count, "point")} a set, standardised; ${quality.note}. A ratio near 1 means: as good as fresh data.`,
      figures: ratioFigure(quality),
      tables: [qualityRows(quality)],
    },
    {
      heading: "The process",
      text: "Training sees data with noise at every strength; sampling goes the way back.",
      figures: pick("forward.png", "reverse.png", "trajectories.png"),
    },
    {
      heading: "Schedule and training",
      text: "How noise is added, and how the network learned.",
      figures: pick("schedule.png", "loss.png"),
    },
  ];
  return reportPage({ title: `unnoise: ${run.name}`, command, sections });
}

function ratioFigure({ samplers }: Quality): ReportFigure[] {
  const ratios = samplers.flatMap(({ label, metrics }) =>
    metrics.flatMap(({ label: metric, ratio }) =>
      ratio !== null && ratio > 0 ? [{ sampler: label, metric, ratio }] : [],
    ),
  );
  if (ratios.length === 0) return [];
  return [
    {
      caption: "Each measure divided by its floor.",
      svg: metricFigure({ ratios, title: "Quality against the floor" }),
    },
  ];
}
