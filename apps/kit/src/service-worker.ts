/// <reference lib="webworker" />
/**
 * Keeps the whole app on the device. Installed beside the version in use; takes over only when the app asks for it, at
 * a moment when no payment is under way, or when no page of it is open any more. Asks no other origin for anything.
 */
declare const self: ServiceWorkerGlobalScope;
/** Put in front at build time. */
declare const FILES: readonly string[];
declare const VERSION: string;

const PREFIX = `cairn ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;
const START = new URL("./", self.registration.scope).href;
const KNOWN = new Set(FILES.map((file) => new URL(file, self.registration.scope).href));

self.addEventListener("install", (event) => {
  const fresh = [...KNOWN].map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOlder().then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = request.url.replace(/[?#].*$/, "");
  const wanted = request.mode === "navigate" ? START : url;
  if (KNOWN.has(wanted)) event.respondWith(fromCache(wanted, request));
});

async function fromCache(url: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fetch(request);
}

async function dropOlder(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

export {};
