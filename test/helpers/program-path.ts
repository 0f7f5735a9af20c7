import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** Where daemons are; not on every user's PATH. */
const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];

/**
 * Where a program is, or undefined. If the environment has `variable`, that names the file and
 * the PATH is not asked.
 */
export const programPath = (name: string, variable?: string): string | undefined => {
  const told = variable === undefined ? undefined : process.env[variable];
  if (told) return isExecutable(told) ? told : undefined;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, ...SYSTEM].map((folder) => join(folder, name)).find(isExecutable);
};
