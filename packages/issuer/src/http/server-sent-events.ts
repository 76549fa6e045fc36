/** Server-sent events (HTML Living Standard, section 9.2): how everything that goes on is told. */
export const EVENT_STREAM_TYPE = "text/event-stream";

/** Neither stored nor held back by proxies. */
export const EVENT_STREAM_HEADERS = { "cache-control": "no-store", "x-accel-buffering": "no" } as const;

/** @param id The reader's `Last-Event-ID` when it comes again. */
export function eventText(name: string, data: object, id?: string): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
