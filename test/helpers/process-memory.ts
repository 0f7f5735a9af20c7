/** Memory of a process and of its children, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const MEBIBYTE = 1024 * 1024;
const KIBIBYTE = 1024;

const readOr = (path: string, otherwise: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
};

/** Ids of the processes that a process has started, at any depth. */
export const descendantsOf = (pid: number): number[] => {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = threads.flatMap((thread) =>
    readOr(`/proc/${pid}/task/${thread}/children`, '')
      .split(' ')
      .filter((id) => id !== '')
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
};

/** Resident memory of one process, MiB; 0 when it is gone. */
export const residentOf = (pid: number): number =>
  (Number(/^VmRSS:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/status`, ''))?.[1] ?? 0) * KIBIBYTE) /
  MEBIBYTE;

/** Whether this system tells. */
export const memoryIsKnown = (): boolean => residentOf(process.pid) > 0;
