/**
 * Run before the tests: looks for the programs they need that npm does not bring, and installs
 * them where that is possible without asking (root on Debian).
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { programPath } from './helpers/program-path.ts';

/** Programs, each a Debian package of the same name, and the variable that may say where it is. */
const PROGRAMS: readonly { readonly name: string; readonly variable?: string }[] = [
  { name: 'chromium', variable: 'CHROMIUM' },
  { name: 'ffmpeg' },
];

const missing = (): string[] =>
  PROGRAMS.filter(({ name, variable }) => programPath(name, variable) === undefined).map(
    ({ name }) => name,
  );

const aptGet = (...args: readonly string[]): boolean =>
  spawnSync('apt-get', args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const wanted = missing();
if (wanted.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log(`Installing ${wanted.join(' and ')} for the tests.`);
  if (aptGet('update')) aptGet('install', '-y', '--no-install-recommends', ...wanted);
}
const left = missing();
if (left.length > 0) {
  const command = `apt-get install -y --no-install-recommends ${left.join(' ')}`;
  const choice = left.includes('chromium') ? ', or let CHROMIUM name the browser' : '';
  console.error(`The tests need ${left.join(' and ')}: run \`${command}\` as root${choice}.`);
  process.exitCode = 1;
}
