const PATTERN = /^samples-\d{6,}\.png$/;

/** The name of the grid of samples after an iteration, in the folder of figures. */
export function sampleGridName(iteration: number): string {
  return `samples-${String(iteration).padStart(6, "0")}.png`;
}

/** Whether a file name is that of such a grid. */
export function isSampleGrid(name: string): boolean {
  return PATTERN.test(name);
}
