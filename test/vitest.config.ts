import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongFirst } from './helpers/long-first.ts';
import { SummaryReporter } from './helpers/summary-reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

// Hundreds of services and their children start in the tests, and all compile the same modules.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/compiled');

const OWN = 'skywave-tests-';
// What services and browsers that were killed leave behind goes with the run. Read once for each
// project, but Chromium wants a short path.
if (!basename(tmpdir()).startsWith(OWN)) {
  const temporary = mkdtempSync(join(tmpdir(), OWN));
  // VLC does not run as root, and is to find what is meant for it.
  chmodSync(temporary, 0o755);
  process.env.TMPDIR = temporary;
  process.once('exit', () => {
    try {
      rmSync(temporary, { recursive: true, force: true });
    } catch {}
  });
}

/** Pages in a browser, and of these what measures delays or plays for a while. */
const PAGES = ['test/e2e/**/*.test.ts', 'test/faults/*.browser.test.ts'];
const MEASURED = [
  'test/e2e/{on-air,players,faults,instrument}.test.ts',
  'test/faults/*.browser.test.ts',
];
/** They wait for sound most of the time: at two at a time half of two cores was idle. */
const PAGES_AT_ONCE = 3;
const PATIENCE = { testTimeout: 180_000, hookTimeout: 60_000 };

/**
 * Three projects, one after the other: claims about parts run in parallel, pages three at a time, and
 * what measures delays has the machine to itself.
 */
export default defineConfig({
  root,
  test: {
    // Real browsers, players and child processes on a shared machine: CI gives each claim three tries.
    retry: process.env.CI === undefined ? 0 : 2,
    sequence: { sequencer: LongFirst },
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: {
          name: 'parts',
          root,
          include: ['test/**/*.test.ts'],
          exclude: PAGES,
          testTimeout: 60_000,
          // Most of them wait for real time rather than for a core.
          maxWorkers: Math.max(4, availableParallelism()),
          // A worker of its own for every file cost both cores half a minute.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'pages',
          root,
          include: PAGES,
          exclude: MEASURED,
          ...PATIENCE,
          maxWorkers: PAGES_AT_ONCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'browser',
          root,
          include: MEASURED,
          ...PATIENCE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
