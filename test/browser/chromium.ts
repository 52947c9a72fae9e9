/** Where Chromium is. */
export const executablePath: string = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Flags with which it runs headless, with WebGPU on the processor, and asks nobody for anything. */
export const flags: string[] = [
  ...["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
  ...["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
];
