/**
 * A sound system of its own for a browser: PulseAudio with a loudspeaker that plays into nothing.
 * Without one Firefox never starts an AudioContext.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programPath } from './program-path.ts';

const STARTS_WITHIN = 10_000;

/** A running sound system; `environment` is what programs need to find it. */
export type PrivateSound = {
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
};

/** Starts a daemon of our own with one null sink; undefined where PulseAudio is missing. */
export const startPrivateSound = async (): Promise<PrivateSound | undefined> => {
  const program = programPath('pulseaudio');
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'skywave-sound-'));
  const socket = join(folder, 'native');
  const child = spawn(
    program,
    [
      ...['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--log-level=error'],
      ...['-L', 'module-null-sink sink_name=ear rate=48000'],
      ...['-L', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`],
    ],
    { stdio: 'ignore', env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder } },
  );
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (const since = performance.now(); ; await sleep(50)) {
    if (await stat(socket).catch(() => undefined)) break;
    if (child.exitCode === null && performance.now() - since < STARTS_WITHIN) continue;
    await stop();
    throw new Error('PulseAudio did not start.');
  }
  return { environment: { PULSE_SERVER: `unix:${socket}` }, stop };
};
