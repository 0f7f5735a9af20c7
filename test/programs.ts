/**
 * Run before the tests: looks for the programs they need that npm does not bring, and installs
 * them where that is possible without asking (root on Debian).
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { programPath } from './helpers/program-path.ts';

type Needed = {
  readonly name: string;
  /** Debian packages, where they are not one of the program's name. */
  readonly packages?: readonly string[];
  /** May say where it is. */
  readonly variable?: string;
};

const PROGRAMS: readonly Needed[] = [
  { name: 'chromium', variable: 'CHROMIUM' },
  { name: 'ffmpeg' },
  { name: 'mpv' },
  {
    name: 'gst-launch-1.0',
    packages: [
      'gstreamer1.0-tools',
      'gstreamer1.0-plugins-base',
      'gstreamer1.0-plugins-good',
      'gstreamer1.0-plugins-bad',
      'gstreamer1.0-libav',
    ],
  },
  { name: 'cvlc', packages: ['vlc-bin', 'vlc-plugin-base'] },
  { name: 'faketime' },
];

const missing = (): readonly Needed[] =>
  PROGRAMS.filter(({ name, variable }) => programPath(name, variable) === undefined);

const packagesOf = (needed: readonly Needed[]): string[] =>
  needed.flatMap(({ name, packages = [name] }) => packages);

const enumerate = (needed: readonly Needed[]): string =>
  new Intl.ListFormat('en-GB').format(needed.map(({ name }) => name));

const aptGet = (...args: readonly string[]): boolean =>
  spawnSync('apt-get', args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const wanted = missing();
if (wanted.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log(`Installing ${enumerate(wanted)} for the tests.`);
  if (aptGet('update')) aptGet('install', '-y', '--no-install-recommends', ...packagesOf(wanted));
}
const left = missing();
if (left.length > 0) {
  const command = `apt-get install -y --no-install-recommends ${packagesOf(left).join(' ')}`;
  const choice = left.some(({ name }) => name === 'chromium')
    ? ', or let CHROMIUM name the browser'
    : '';
  console.error(`The tests need ${enumerate(left)}: run \`${command}\` as root${choice}.`);
  process.exitCode = 1;
}
