/** How the demo talks: chapters, steps that tick off, and tables, on standard output. */
export type Story = {
  chapter(title: string, ...about: readonly string[]): void;
  /** Does something and says so, with the time it took. */
  step<Result>(what: string, work: () => Promise<Result>): Promise<Result>;
  line(text?: string): void;
  lines(text: readonly string[]): void;
};

const COLOUR = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const bold = (text: string): string => (COLOUR ? `\u001b[1m${text}\u001b[0m` : text);
const green = (text: string): string => (COLOUR ? `\u001b[32m${text}\u001b[0m` : text);

export function tellStory(): Story {
  let chapters = 0;
  const line = (text = ""): void => void process.stdout.write(`${text}\n`);
  return {
    line,
    lines: (texts) => {
      for (const text of texts) line(`      ${text}`);
    },
    chapter: (title, ...about) => {
      chapters++;
      line(`\n${bold(`${chapters}. ${title}`)}`);
      for (const text of about) line(`   ${text}`);
    },
    step: async (what, work) => {
      const begin = performance.now();
      const result = await work();
      line(`   ${green("✓")} ${what} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
      return result;
    },
  };
}
