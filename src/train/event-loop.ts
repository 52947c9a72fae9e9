/** Longest time for which a loop keeps timers, signals and the page waiting, in ms. */
const PATIENCE = 50;

/**
 * A pause for long loops: lets the event loop turn when it last did so some 50 ms ago, and costs nothing otherwise. Awaiting a
 * provider is not enough: wasm answers without a turn.
 */
export function eventLoopPause(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < PATIENCE) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
