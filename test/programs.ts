/**
 * Run before the tests: looks for the programs they need that npm does not bring, and installs
 * them where that is possible without asking (root on Debian). Proxies that a few tests want are
 * daemons that run as soon as they are installed, so only where the system forbids that, as
 * containers do; elsewhere those tests are skipped, and say so.
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

/** Without these a few tests are skipped. */
const WANTED: readonly Needed[] = [
  { name: 'nginx' },
  { name: 'varnishd', packages: ['varnish'] },
  { name: 'openssl' },
  { name: 'opusinfo', packages: ['opus-tools'] },
];

const missingOf = (programs: readonly Needed[]): readonly Needed[] =>
  programs.filter(({ name, variable }) => programPath(name, variable) === undefined);

const packagesOf = (needed: readonly Needed[]): string[] =>
  needed.flatMap(({ name, packages = [name] }) => packages);

const enumerate = (needed: readonly Needed[]): string =>
  new Intl.ListFormat('en-GB').format(needed.map(({ name }) => name));

const aptGet = (...args: readonly string[]): boolean =>
  spawnSync('apt-get', args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  const nothingStarts = existsSync('/usr/sbin/policy-rc.d');
  const sets = [PROGRAMS, ...(nothingStarts ? [WANTED] : [])].map(missingOf);
  const lacking = sets.filter((set) => set.length > 0);
  if (lacking.length > 0) {
    console.log(`Installing ${enumerate(lacking.flat())} for the tests.`);
    // In turn, so that one that is nowhere to be had does not keep away what is needed.
    if (aptGet('update'))
      for (const set of lacking)
        aptGet('install', '-y', '--no-install-recommends', ...packagesOf(set));
  }
}
const left = missingOf(PROGRAMS);
if (left.length > 0) {
  const command = `apt-get install -y --no-install-recommends ${packagesOf(left).join(' ')}`;
  const choice = left.some(({ name }) => name === 'chromium')
    ? ', or let CHROMIUM name the browser'
    : '';
  console.error(`The tests need ${enumerate(left)}: run \`${command}\` as root${choice}.`);
  process.exitCode = 1;
}
