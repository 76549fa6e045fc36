export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number | bigint };
export type MetricType = "gauge" | "counter" | "histogram";

/** One metric in Prometheus' text format 0.0.4. */
export function metric(name: string, type: MetricType, help: string, samples: readonly Sample[]): string {
  return `${head(name, type, help)}${samples.map((sample) => line(name, sample)).join("")}`;
}

const head = (name: string, type: MetricType, help: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

function line(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

/** Counts by labels, for as long as the process lives. */
export class Counter {
  readonly #samples = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();

  add(labels: Readonly<Record<string, string>>): void {
    const key = JSON.stringify(labels);
    const sample = this.#samples.get(key);
    if (sample === undefined) this.#samples.set(key, { labels, value: 1 });
    else sample.value++;
  }

  samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }
}

/** How often something took up to so long, by one label. */
export class Histogram {
  readonly #label: string;
  /** Upper bounds in seconds, rising. */
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();

  constructor(label: string, bounds: readonly number[]) {
    this.#label = label;
    this.#bounds = bounds;
  }

  observe(of: string, seconds: number): void {
    let series = this.#series.get(of);
    if (series === undefined) {
      series = { counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
      this.#series.set(of, series);
    }
    const bucket = this.#bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += seconds;
    series.count++;
  }

  text(name: string, help: string): string {
    const lines = [...this.#series].map(([of, { counts, sum, count }]) => {
      const labels = { [this.#label]: of };
      let upTo = 0;
      const buckets = this.#bounds.map((bound, index) => {
        upTo += counts[index] ?? 0;
        return line(`${name}_bucket`, { labels: { ...labels, le: `${bound}` }, value: upTo });
      });
      return [
        ...buckets,
        line(`${name}_bucket`, { labels: { ...labels, le: "+Inf" }, value: count }),
        line(`${name}_sum`, { labels, value: Math.round(sum * 1e6) / 1e6 }),
        line(`${name}_count`, { labels, value: count }),
      ].join("");
    });
    return `${head(name, "histogram", help)}${lines.join("")}`;
  }
}
