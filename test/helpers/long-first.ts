import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that wait for real time for long; a clean checkout knows no durations. */
const LONG = /\/test\/faults\/|\/(relay|listen-hls|interrupted|spool|players)\.test\.ts$/;

/** Begins with what takes long, so that a worker does not wait for the last file at the end. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
