/** One child process, from fork to exit. */
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AacName, FromChild, ToChild } from './messages.ts';

/** Beside the sources it is a .ts, beside the built server a .js. */
const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

/** How long a child that was let go may take to leave, ms. */
const GRACE = 1000;

/** What a child tells its owner. */
export interface ChildOwner {
  received(message: FromChild): void;
  /** The child is gone by itself; nothing else comes after it. */
  lost(reason: string): void;
}

/** A running child. After `kill` or `leave` its owner hears nothing more of it. */
export class Child {
  readonly #process: ChildProcess;
  #owner: ChildOwner | undefined;
  #exited = false;

  constructor(owner: ChildOwner, { encoders }: { readonly encoders: readonly AacName[] }) {
    this.#owner = owner;
    this.#process = fork(WORKER, encoders, {
      // The parent's own flags (a debugger's port, a script to evaluate) are not for the child.
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message: FromChild) => this.#owner?.received(message));
    this.#process.once('error', (error) => this.#lose(error.message));
    this.#process.once('exit', (code, signal) => {
      this.#exited = true;
      this.#lose(signal === null ? `exit code ${code}` : signal);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends unless the child is gone, which `lost` tells. */
  send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    this.#owner = undefined;
    this.#process.kill('SIGKILL');
  }

  /** Lets it go; resolves when it has gone. */
  leave(): Promise<void> {
    this.#owner = undefined;
    if (this.#exited || this.#process.pid === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE);
    this.#process.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (this.#process.connected) this.#process.disconnect();
    return promise;
  }

  #lose(reason: string): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.lost(reason);
  }
}
