/** What a service that runs as its own process warns of in its log. */
import type { ChildProcess } from 'node:child_process';

const LINES_MOST = 100;
const WARN = 40;

/** Collects warnings and errors from now on, the first hundred; the array grows as they come. */
export const warningsOf = (child: ChildProcess): readonly string[] => {
  const warnings: string[] = [];
  let rest = '';
  const take = (line: string): void => {
    if (warnings.length >= LINES_MOST || !line.startsWith('{')) return;
    try {
      const { level, time, pid, hostname, msg, ...more } = JSON.parse(line);
      if (level >= WARN) warnings.push(`${msg} ${JSON.stringify(more)}`);
    } catch {
      warnings.push(line);
    }
  };
  const hear = (text: Buffer): void => {
    const lines = (rest + text.toString()).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  return warnings;
};

/** The first of them, for a log. */
export const describeWarnings = (warnings: readonly string[], most = 10): string =>
  warnings
    .slice(0, most)
    .map((warning) => `  the service warned: ${warning.slice(0, 240)}\n`)
    .join('');
