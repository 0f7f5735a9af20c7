/** The service as a person starts it: its own process, told by the environment, read by its links. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_WITHIN = 20_000;

/** A running service and the links it printed. */
export type LiveService = {
  readonly child: ChildProcess;
  readonly port: number;
  /** Links as printed; `through` puts another port (a proxy's) into them. */
  readonly studio: string;
  readonly listen: string;
  readonly through: (port: number) => { studio: string; listen: string };
  readonly stop: () => Promise<number | null>;
};

const linksOf = (
  child: ChildProcess,
  heard: (text: string) => void,
): Promise<{ studio: string; listen: string }> =>
  new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(
      () => reject(new Error(`No links were printed: ${text}`)),
      START_WITHIN,
    );
    const look = (part: Buffer): void => {
      text += part.toString();
      heard(part.toString());
      const studio = /Studio +(\S+)/.exec(text)?.[1];
      const listen = /Listen +(\S+)/.exec(text)?.[1];
      if (studio === undefined || listen === undefined) return;
      clearTimeout(late);
      resolve({ studio, listen });
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}: ${text}`)));
  });

/**
 * Starts `server/main.ts`, on a free port with an empty data folder unless the environment names
 * others; a folder that it names is kept. `node` are arguments for Node itself; `heard` gets all that
 * it prints.
 */
export const startLiveService = async (
  environment: Record<string, string> = {},
  {
    node = [],
    heard = () => {},
  }: { readonly node?: readonly string[]; readonly heard?: (text: string) => void } = {},
): Promise<LiveService> => {
  const own = environment.SKYWAVE_DATA === undefined;
  const data = environment.SKYWAVE_DATA ?? (await mkdtemp(join(tmpdir(), 'skywave-live-')));
  const child = spawn(process.execPath, [...node, 'server/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      SKYWAVE_PORT: '0',
      SKYWAVE_DATA: data,
      SKYWAVE_LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { studio, listen } = await linksOf(child, heard);
  return {
    child,
    port: Number(new URL(listen).port),
    studio,
    listen,
    through: (port) => {
      const move = (link: string): string => link.replace(/:\d+\//, `:${port}/`);
      return { studio: move(studio), listen: move(listen) };
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      if (own) await rm(data, { recursive: true, force: true });
      return child.exitCode;
    },
  };
};
