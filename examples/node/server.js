// A webhook endpoint in plain Node: the body is read as bytes and never parsed first.
import http from "node:http";
import { pathToFileURL } from "node:url";
import { connect, Refused } from "./sidecar.js";

const BODY_BYTES_MAX = 1024 * 1024;
const ROUTE = /^\/payments\/process\/([A-Za-z0-9_.-]{1,64})\/?$/;

async function read(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new Refused("BODY_TOO_LARGE", 413);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function createServer(payhook, onEvent) {
  return http.createServer(async (request, response) => {
    const variant = ROUTE.exec(request.url)?.[1];
    if (!variant) return response.writeHead(404).end();
    try {
      const body = await read(request);
      const url = `https://${request.headers.host}${request.url}`;
      const answer = await payhook.verify(variant, body, request.rawHeaders, request.method, url);
      for (const event of answer.events ?? []) await onEvent(event);
      const type = answer.reply?.contentType || "text/plain";
      response.writeHead(answer.reply?.status || 200, { "content-type": type });
      response.end(answer.reply?.body);
    } catch (error) {
      const status = error instanceof Refused ? error.httpStatus : 500;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: error instanceof Refused ? error.reason : "error" }));
    }
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = createServer(connect(), (event) => {
    console.log(`${event.idempotencyKey} ${event.type} ${event.status ?? ""}`);
  });
  server.listen(Number(process.env.PORT ?? 8000));
  process.on("SIGTERM", () => server.close());
}
