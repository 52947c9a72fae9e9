/** A string that two arrays share only if they hold the same bits: 0 and −0 differ, and equal NaNs agree. */
export function contentKey(data: Float64Array): string {
  const words = new Uint16Array(data.slice().buffer);
  let key = "";
  for (let start = 0; start < words.length; start += 8192)
    key += String.fromCharCode(...words.subarray(start, start + 8192));
  return key;
}
