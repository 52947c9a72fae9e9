import { expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { importOrt } from "./import-ort.ts";

const versions = {
  "onnxruntime-node": packageJson.optionalDependencies["onnxruntime-node"],
  "onnxruntime-web": packageJson.dependencies["onnxruntime-web"],
};

it.each(["onnxruntime-node", "onnxruntime-web"] as const)(
  "says how to install the version of %s that is pinned",
  async (name) => {
    const missing = importOrt(() => Promise.reject(new Error("libstdc++ is too old\nRequire stack:")), name, "wasm");
    await expect(missing).rejects.toMatchObject({
      code: "device",
      message: expect.stringContaining(`npm install ${name}@${versions[name]}`) as string,
    });
    await expect(missing).rejects.toThrow(`${name}, which did not load (libstdc++ is too old); install`);
  },
);
