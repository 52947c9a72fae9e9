/** Larger arrays are not looked into: their keys would take as much memory as they do. */
const LARGEST_KEY = 2 ** 16;

/**
 * A string that two arrays share only if they hold the same bits (0 and −0 differ, equal NaNs agree), or nothing for arrays of
 * more than 65,536 elements.
 */
export function contentKey(data: Float64Array): string | undefined {
  if (data.length > LARGEST_KEY) return undefined;
  const words = new Uint16Array(data.slice().buffer);
  let key = "";
  for (let start = 0; start < words.length; start += 8192) {
    key += String.fromCharCode(...words.subarray(start, start + 8192));
  }
  return key;
}
