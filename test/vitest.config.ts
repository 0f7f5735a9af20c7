import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './helpers/summary-reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What measures delays in a browser. */
const MEASURED = ['test/e2e/{on-air,players,faults}.test.ts', 'test/faults/*.browser.test.ts'];

/**
 * Two projects, one after the other: claims about parts and pages run in parallel, then what measures
 * delays has the machine to itself.
 */
export default defineConfig({
  root,
  test: {
    // Real browsers, players and child processes on a shared machine: CI gives each claim three tries.
    retry: process.env.CI === undefined ? 0 : 2,
    // Most parts wait for real time rather than for a core.
    maxWorkers: Math.max(3, availableParallelism()),
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: {
          name: 'parts',
          root,
          include: ['test/**/*.test.ts'],
          exclude: MEASURED,
          // Pages take their time to begin beside everything else.
          testTimeout: 180_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'browser',
          root,
          include: MEASURED,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
