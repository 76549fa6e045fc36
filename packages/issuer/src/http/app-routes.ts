import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AppFile } from "./app-files.ts";
import { EdgeError } from "./problems.ts";

/**
 * What a page of an app may do: run and show what comes from this server, use the camera, and nothing else. No inline
 * script, no inline style, no frame, no other origin. `wasm-unsafe-eval` allows WebAssembly alone (CSP level 3).
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(self), screen-wake-lock=(self), microphone=(), geolocation=(), payment=(), usb=()",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const ONE_YEAR_SECONDS = 31_536_000;

/** Serves a built app under /NAME/. Its pages are all index.html: which one is shown is the app's own affair. */
export function appRoutes(app: FastifyInstance, name: string, files: ReadonlyMap<string, AppFile>): void {
  const hidden = { schema: { hide: true } };
  app.get(`/${name}`, hidden, (_request, reply) => reply.redirect(`${name}/`, 308));
  app.get<{ Params: { "*": string } }>(`/${name}/*`, hidden, (request, reply) => {
    const file = files.get(request.params["*"] || "index.html");
    if (file === undefined) throw new EdgeError("ROUTE_UNKNOWN");
    return send(file, request, reply);
  });
}

function send(file: AppFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(HEADERS).type(file.type).header("etag", file.etag).header("vary", "accept-encoding");
  // The service worker's file and the page are asked for each time, which costs one short answer when nothing changed.
  reply.header("cache-control", file.immutable ? `public, max-age=${ONE_YEAR_SECONDS}, immutable` : "no-cache");
  if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
  const accepted = request.headers["accept-encoding"] ?? "";
  if (file.brotli !== undefined && /\bbr\b/.test(accepted))
    return reply.header("content-encoding", "br").send(file.brotli);
  if (file.gzip !== undefined && /\bgzip\b/.test(accepted))
    return reply.header("content-encoding", "gzip").send(file.gzip);
  return reply.send(file.bytes);
}
