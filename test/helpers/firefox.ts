/**
 * Drives Debian's Firefox ESR by WebDriver BiDi (W3C) over a plain WebSocket: as much of it as a
 * page that only plays needs. The driver of the other browser cannot drive this one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type PrivateSound, startPrivateSound } from './private-sound.ts';
import { programPath } from './program-path.ts';

const STARTS_WITHIN = 30_000;
const ANSWERS_WITHIN = 60_000;

/** Sound without a click, and nothing that asks the internet for anything. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.gmp-manager.updateEnabled': false,
  'app.update.disabledForTesting': true,
  'app.normandy.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': '',
  'toolkit.telemetry.enabled': false,
};

type Answer = {
  readonly id?: number | null;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
};
type Pending = { resolve: (result: unknown) => void; reject: (error: Error) => void };
type Evaluated = {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
};

/** Commands and their answers; events are of no interest here. */
class BidiConnection {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (message: Buffer) => {
      const { id, type, result, error, message: sentence } = JSON.parse(`${message}`) as Answer;
      const pending = this.#pending.get(id ?? -1);
      this.#pending.delete(id ?? -1);
      if (type === 'success') pending?.resolve(result);
      else pending?.reject(new Error(`${error}: ${sentence}`));
    });
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('Firefox is gone.'));
      this.#pending.clear();
    });
  }

  static async open(url: string): Promise<BidiConnection> {
    const socket = new WebSocket(url, { maxPayload: 2 ** 30 });
    await once(socket, 'open');
    return new BidiConnection(socket);
  }

  send(method: string, params: object): Promise<unknown> {
    this.#id += 1;
    const id = this.#id;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = setTimeout(
      () => reject(new Error(`Firefox does not answer ${method}.`)),
      ANSWERS_WITHIN,
    );
    this.#pending.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise.finally(() => {
      clearTimeout(late);
      this.#pending.delete(id);
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** A window of its own, so that nothing in it is throttled as hidden. */
export class FirefoxPage {
  readonly #connection: BidiConnection;
  readonly #context: string;

  constructor(connection: BidiConnection, context: string) {
    this.#connection = connection;
    this.#context = context;
  }

  /** Loads an address; resolves when all of it is there. */
  async goto(url: string): Promise<void> {
    await this.#connection.send('browsingContext.navigate', {
      ...{ context: this.#context, url, wait: 'complete' },
    });
  }

  /** Runs a function in the page; it and its argument are sent as text, its result comes as JSON. */
  async evaluate<A, R>(act: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    const declaration = `async (text) => JSON.stringify(await (${act})(JSON.parse(text))) ?? 'null'`;
    const { type, result, exceptionDetails } = (await this.#connection.send('script.callFunction', {
      functionDeclaration: declaration,
      awaitPromise: true,
      target: { context: this.#context },
      arguments: [{ type: 'string', value: JSON.stringify(argument ?? null) }],
    })) as Evaluated;
    if (type === 'exception') throw new Error(`In Firefox: ${exceptionDetails?.text}`);
    return JSON.parse(result?.value ?? 'null');
  }

  async close(): Promise<void> {
    await this.#connection.send('browsingContext.close', { context: this.#context });
  }
}

const addressOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(
      () => reject(new Error(`Firefox did not start: ${said}`)),
      STARTS_WITHIN,
    );
    child.stderr?.on('data', (text: Buffer) => {
      if (said.length < 10_000) said += text.toString();
      const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(late);
      resolve(address);
    });
    child.once('exit', () => reject(new Error(`Firefox ended: ${said}`)));
  });

/** What has to be installed before Firefox can play; undefined when everything is there. */
export const missingForFirefox = (): string | undefined => {
  const missing = ['firefox-esr', 'pulseaudio'].filter((name) => programPath(name) === undefined);
  return missing.length === 0
    ? undefined
    : `Not measured: ${missing.join(' and ')} is missing here (apt-get install ${missing.join(' ')}).`;
};

/** A headless Firefox with a profile and a sound system of its own; whoever starts it closes it. */
export class Firefox {
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #connection: BidiConnection;
  readonly #sound: PrivateSound;
  readonly #folder: string;

  private constructor(
    { child, sound, folder }: { child: ChildProcess; sound: PrivateSound; folder: string },
    { connection, version }: { connection: BidiConnection; version: string },
  ) {
    this.#child = child;
    this.#sound = sound;
    this.#folder = folder;
    this.#connection = connection;
    this.version = version;
  }

  /** @throws when `missingForFirefox` has something to say. */
  static async launch(): Promise<Firefox> {
    const program = programPath('firefox-esr');
    const sound = await startPrivateSound();
    if (program === undefined || sound === undefined) {
      await sound?.stop();
      throw new Error(missingForFirefox());
    }
    const folder = await mkdtemp(join(tmpdir(), 'skywave-firefox-'));
    const lines = Object.entries(PREFERENCES).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(join(folder, 'user.js'), lines.join(''));
    const child = spawn(
      program,
      ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...sound.environment, HOME: folder, XDG_RUNTIME_DIR: folder },
      },
    );
    try {
      const connection = await BidiConnection.open(`${await addressOf(child)}/session`);
      const session = await connection.send('session.new', { capabilities: {} });
      const { capabilities } = session as { capabilities: { browserVersion: string } };
      return new Firefox(
        { child, sound, folder },
        { connection, version: capabilities.browserVersion },
      );
    } catch (error) {
      child.kill('SIGKILL');
      await sound.stop();
      throw error;
    }
  }

  /** Runs a function in every page before its own scripts. */
  async addInitScript<A>(act: (argument: A) => void, argument: A): Promise<void> {
    await this.#connection.send('script.addPreloadScript', {
      functionDeclaration: `() => (${act})(${JSON.stringify(argument)})`,
    });
  }

  async newPage(): Promise<FirefoxPage> {
    const created = await this.#connection.send('browsingContext.create', { type: 'window' });
    const { context } = created as { context: string };
    return new FirefoxPage(this.#connection, context);
  }

  async close(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    await this.#connection.send('browser.close', {}).catch(() => {});
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(kill);
    this.#connection.close();
    await this.#sound.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
