const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const state = document.querySelector("#state");

worker.onmessage = ({ data }: MessageEvent<string>) => {
  if (state) state.textContent = data;
};
worker.onerror = ({ message }) => {
  if (state) state.textContent = `failed: ${message}`;
};
