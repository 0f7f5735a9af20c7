import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What went wrong in tries before the one that passed; empty for a test that passed at once. */
const triesOf = (test: TestCase): string[] =>
  (test.result().errors ?? []).map(({ message = '' }) => {
    const [line = ''] = stripVTControlCharacters(message).split('\n');
    return `Tried again: ${test.module.relativeModuleId}, ${test.fullName}: ${line}\n`;
  });

/**
 * Says why tests had to be tried again, and ends the run with one plain line that any CI can read:
 * `Tests: 12 passed, 0 failed`.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const tries: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state] += 1;
        if (state === 'passed') tries.push(...triesOf(test));
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    process.on('exit', () => {
      process.stdout.write(
        `${tries.join('')}Tests: ${count.passed} passed, ${count.failed + count.pending} failed${skipped}\n`,
      );
    });
  }
}
