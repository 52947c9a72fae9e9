import { createReadStream, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const html = '<!doctype html><meta charset="utf-8"><title>unnoise</title><link rel="icon" href="data:,">';

/**
 * Serves folders on a free port: `/plain` and `/isolated` are pages that load `/page/page.js`, the second cross-origin isolated.
 * @param folders by first part of the path
 */
export async function serve(folders: Readonly<Record<string, string>>): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/plain" || path === "/isolated") {
      response.writeHead(200, { "Content-Type": "text/html", ...(path === "/isolated" ? isolation : {}) });
      response.end(`${html}<script type="module" src="/page/page.js"></script>`);
      return;
    }
    const [, first = "", ...rest] = path.split("/");
    const file = join(folders[first] ?? "", ...rest);
    const found = first in folders && existsSync(file);
    response.writeHead(found ? 200 : 404, { "Content-Type": types[extname(file)] ?? "text/plain", ...isolation });
    if (found) createReadStream(file).pipe(response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
