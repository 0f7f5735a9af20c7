/** A listener in a process of its own, which can be stopped without the tests stopping with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const SCRIPT = (server: string): string => `
  import { Ear } from '${new URL('./ear.ts', import.meta.url)}';
  const ear = new Ear(${JSON.stringify(server)});
  setInterval(() => process.stdout.write(ear.heard + '\\n'), 100);
`;

/** Listens until closed. */
export class LoneEar {
  /** Frames it got so far, as it says ten times a second. */
  heard = 0;
  readonly #child: ChildProcess;

  constructor(server: string) {
    this.#child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT(server)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (text: Buffer) => {
      this.heard = Number(text.toString().trim().split('\n').at(-1));
    });
  }

  /** The process is given no time any more, its sockets stay open. */
  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
