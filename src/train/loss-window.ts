/** Sums of the losses since the last log line: part of a checkpoint, so that a resumed run logs the same means. */
export interface LossWindow {
  readonly sum: number;
  readonly gradientNormSum: number;
  readonly count: number;
}

export const emptyWindow: LossWindow = { sum: 0, gradientNormSum: 0, count: 0 };

/** The window with one more step. */
export function extendWindow(window: LossWindow, loss: number, gradientNorm: number): LossWindow {
  return {
    sum: window.sum + loss,
    gradientNormSum: window.gradientNormSum + gradientNorm,
    count: window.count + 1,
  };
}
