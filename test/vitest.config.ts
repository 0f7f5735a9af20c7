import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './helpers/summary-reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What needs a browser. */
const IN_BROWSERS = ['test/e2e/**/*.test.ts', 'test/faults/**/*.browser.test.ts'];

/**
 * Two projects, one after the other: claims about parts run in parallel, then the browser has the
 * machine to itself, because it measures delays.
 */
export default defineConfig({
  root,
  test: {
    // Real browsers, players and child processes on a shared machine: CI gives each claim two tries.
    retry: process.env.CI === undefined ? 0 : 1,
    // Most parts wait for real time rather than for a core.
    maxWorkers: Math.max(3, availableParallelism()),
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: {
          name: 'parts',
          root,
          include: ['test/**/*.test.ts'],
          exclude: IN_BROWSERS,
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'browser',
          root,
          include: IN_BROWSERS,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
