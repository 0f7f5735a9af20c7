import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../shared/control.ts';
import { freePort } from '../helpers/free-port.ts';
import { programPath } from '../helpers/program-path.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

/** A proxy that runs as a child of ours; `base` is where it listens. */
type Proxy = { readonly base: string; readonly stop: () => Promise<void> };
type Answer = { readonly status: number; readonly headers: object; readonly body: Buffer };
type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
};

const deployed = (name: string): string =>
  fileURLToPath(new URL(`../../server/deploy/${name}`, import.meta.url));

/** Replaces what must be there: an example that has changed its lines fails here, by name. */
const replaced = (text: string, pairs: readonly (readonly [string, string])[]): string =>
  pairs.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`The example has no "${from}".`);
    return changed.replaceAll(from, to);
  }, text);

/** Sends a plain request, on a connection of its own, past the checks of certificates. */
const get = (url: string, headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const options = { headers, agent: false, rejectUnauthorized: false };
    const send = url.startsWith('https') ? requestTls : requestPlain;
    send(url, options, (message) => {
      const pieces: Buffer[] = [];
      message.on('data', (piece: Buffer) => pieces.push(piece));
      message.on('error', reject);
      message.on('end', () => {
        const { statusCode: status = 0, headers } = message;
        resolve({ status, headers, body: Buffer.concat(pieces) });
      });
    })
      .on('error', reject)
      .end();
  });

const run = (command: string, args: readonly string[]): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

/** Runs a proxy until it answers, in a folder that is deleted with it. */
const startProxy = async (base: string, { command, args, folder }: Command): Promise<Proxy> => {
  const said: string[] = [];
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.on('data', (piece: Buffer) => said.push(piece.toString()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + 15_000; ; await new Promise((wake) => setTimeout(wake, 50))) {
    const answer = await get(`${base}/healthz`).catch(() => undefined);
    if (answer?.status === 200) return { base, stop };
    if (child.exitCode === null && Date.now() < deadline) continue;
    await stop();
    throw new Error(`${command} does not answer: ${said.join('')}`);
  }
};

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'skywave-deploy-'));

const withoutCache = (text: string): string =>
  text.replaceAll(/^.*# \[cache\]\n/gm, '').replaceAll(/# (.*# \[varnish\])$/gm, '$1');

/** With `media`, the address of a Varnish, the file is changed as it says at its head. */
const startNginx = async (
  nginx: string,
  origin: string,
  { media }: { media?: string } = {},
): Promise<Proxy> => {
  const folder = newFolder();
  const [port, plain] = [await freePort(), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = join(folder, 'nginx.conf');
  const text = readFileSync(deployed('nginx.conf'), 'utf8');
  mkdirSync(join(folder, 'tls'));
  run('openssl', [
    ...'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost'.split(' '),
    ...['-keyout', `${folder}/tls/privkey.pem`, '-out', `${folder}/tls/fullchain.pem`],
  ]);
  writeFileSync(
    file,
    replaced(media === undefined ? text : withoutCache(text), [
      // Another user could not read the folder, and there is not everywhere one of that name.
      ['user www-data;', 'user root;'],
      ['http {\n', `http {\n${temporary.join('\n')}\n`],
      ...(media === undefined ? [] : ([['127.0.0.1:8080; # media', `${media};`]] as const)),
      ['listen 80;', `listen 127.0.0.1:${plain};`],
      ['listen 443 ', `listen 127.0.0.1:${port} `],
      ['127.0.0.1:8080', origin],
      ['/etc/nginx/tls', `${folder}/tls`],
      ...(media === undefined ? [['/var/lib/nginx/skywave', `${folder}/cache`] as const] : []),
      ['/var/log/nginx', folder],
      ['/run/nginx.pid', `${folder}/nginx.pid`],
    ]),
  );
  // nginx makes one folder, not the one above it.
  if (media === undefined) expect(existsSync('/var/lib/nginx')).toBe(true);
  const check = run(nginx, ['-t', '-e', 'stderr', '-p', folder, '-c', file]);
  expect(check).toMatchObject({ status: 0, said: expect.stringContaining('test is successful') });
  return startProxy(`https://127.0.0.1:${port}`, {
    command: nginx,
    args: ['-e', 'stderr', '-p', folder, '-c', file, '-g', 'daemon off;'],
    folder,
  });
};

const startVarnish = async (varnishd: string, origin: string): Promise<Proxy> => {
  const folder = newFolder();
  const port = await freePort();
  const file = join(folder, 'varnish.vcl');
  const text = readFileSync(deployed('varnish.vcl'), 'utf8');
  writeFileSync(file, replaced(text, [['.port = "8080"', `.port = "${origin.split(':')[1]}"`]]));
  const [, line = ''] = /^#\s+varnishd (-a .*)$/m.exec(text) ?? [];
  const args = replaced(line, [
    ['127.0.0.1:6081', `127.0.0.1:${port}`],
    ['varnish.vcl', file],
    ['malloc,256m', 'malloc,16m'],
  ]).split(' ');
  const check = run(varnishd, ['-C', '-j', 'none', '-f', file, '-n', `${folder}/check`]);
  expect({ status: check.status, ...(check.status === 0 ? {} : check) }).toEqual({ status: 0 });
  return startProxy(`http://127.0.0.1:${port}`, {
    command: varnishd,
    args: [...args, '-F', '-j', 'none', '-T', 'none', '-n', `${folder}/work`],
    folder,
  });
};

/** TLS and sockets by nginx, caching by Varnish. */
const startBoth = async (nginx: string, origin: string): Promise<Proxy> => {
  const varnish = await startVarnish(programPath('varnishd') ?? '', origin);
  const front = await startNginx(nginx, origin, { media: new URL(varnish.base).host }).catch(
    (error: unknown) => varnish.stop().then(() => Promise.reject(error)),
  );
  return { base: front.base, stop: () => front.stop().then(varnish.stop) };
};

const PROXIES = [
  { name: 'nginx', needs: ['nginx', 'openssl'], start: startNginx },
  { name: 'varnish', needs: ['varnishd', 'cc'], start: startVarnish },
  { name: 'nginx and varnish', needs: ['nginx', 'openssl', 'varnishd', 'cc'], start: startBoth },
] as const;

let service: TestService;
let publisher: RealPublisher;
let path: string;
/** What came to the service, in order. */
const reached: { url: string; forwarded: string }[] = [];
const reachedFor = (url: string): number => reached.filter((one) => one.url === url).length;

/** Sequence and part of the newest part that a playlist lists. */
const newest = (playlist: string): [number, number] => {
  const [, sequence, part] =
    [...playlist.matchAll(/#EXT-X-PART:.*URI="(\d+)\.(\d+)\.m4s"/g)].at(-1) ?? [];
  return [Number(sequence), Number(part)];
};

beforeAll(async () => {
  service = await startService();
  service.app.server.prependListener('request', ({ url = '', headers }: IncomingMessage) => {
    const forwarded = `${headers['x-forwarded-proto']} ${headers['x-forwarded-for']}`;
    reached.push({ url, forwarded });
  });
  publisher = await RealPublisher.start(service);
  await publisher.client.until(
    () => service.station.desk('live')?.packager.programme?.outputs.get('aac128')?.playable,
  );
  const { body } = await get(`${service.base}/c/live/hls/index.m3u8`);
  path = `/c/live${/\.\.(\/media\/[^/]+)\//.exec(body.toString())?.[1]}/aac128`;
}, 30_000);
afterAll(async () => {
  publisher?.vanish();
  await service?.stop();
});

for (const { name, needs, start } of PROXIES) {
  const lacking = needs.filter((program) => programPath(program) === undefined);
  const reason = lacking.length === 0 ? '' : ` (skipped: ${lacking.join(' and ')} not installed)`;

  describe.skipIf(lacking.length > 0)(`Skywave behind ${name}${reason}`, () => {
    let proxy: Proxy;
    /** A playlist that is not there yet: with so many more parts, of which twelve make a segment. */
    const blockedAhead = async (parts: number): Promise<string> => {
      const { body } = await get(`${service.base}${path}/index.m3u8`);
      const [sequence, part] = newest(body.toString());
      const wanted = sequence * 12 + part + parts;
      return `${path}/index.m3u8?_HLS_msn=${Math.floor(wanted / 12)}&_HLS_part=${wanted % 12}`;
    };
    beforeAll(async () => {
      proxy = await start(programPath(needs[0]) ?? '', new URL(service.base).host);
    }, 30_000);
    afterAll(() => proxy?.stop());

    it('sends frames to a listener on a WebSocket, whose page is of the same origin', async () => {
      const url = `${proxy.base.replace(/^http/, 'ws')}/api/v1/channels/live/listen`;
      const origin = proxy.base;
      const socket = new WebSocket(url, SUBPROTOCOL, { origin, rejectUnauthorized: false });
      socket.once('open', () => socket.send('{"type":"hello","role":"listener"}'));
      const sequences: number[] = [];
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('close', (code) => reject(new Error(`Closed with ${code}.`)));
        socket.on('message', (message: Buffer, binary) => {
          if (binary) sequences.push(message.readUInt32BE(4));
          if (sequences.length === 50) resolve();
        });
      });
      socket.terminate();
      expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
    });

    it('asks once for what fifty wait for, and gives all of them the same', async () => {
      const asked = await blockedAhead(3);
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => get(proxy.base + asked, { 'accept-encoding': 'gzip' })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const texts = new Set(answers.map(({ body }) => gunzipSync(body).toString()));
      expect(texts.size).toBe(1);
      expect(reachedFor(asked)).toBe(1);
      const [text = ''] = texts;
      const [sequence, part] = newest(text);
      const query = new URLSearchParams(asked.split('?')[1]);
      const wanted = Number(query.get('_HLS_msn')) * 12 + Number(query.get('_HLS_part'));
      expect(sequence * 12 + part).toBeGreaterThanOrEqual(wanted);
    });

    it('tells one state of a playlist from another by the query', async () => {
      const first = await blockedAhead(1);
      const one = await get(proxy.base + first);
      const second = await blockedAhead(1);
      expect(second).not.toBe(first);
      const two = await get(proxy.base + second);
      expect(newest(two.body.toString())).not.toEqual(newest(one.body.toString()));
    });

    it('keeps a segment, whole and in ranges', async () => {
      const asked = `${path}/0.m4s`;
      const whole = await get(proxy.base + asked);
      const before = reachedFor(asked);
      const again = await get(proxy.base + asked);
      const range = await get(proxy.base + asked, { range: 'bytes=10-19' });
      expect(reachedFor(asked)).toBe(before);
      expect(again.body.equals(whole.body)).toBe(true);
      expect([range.status, range.body]).toEqual([206, whole.body.subarray(10, 20)]);
      expect(again.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'cache-control': expect.stringContaining('immutable'),
      });
    });

    it('never keeps the time of day', async () => {
      const time = () => get(`${proxy.base}/c/live/dash/time`).then(({ body }) => body.toString());
      expect(await time()).not.toBe(await time());
    });

    it('sends on the programs that need another manifest, and nobody else', async () => {
      const ask = (agent: string) =>
        get(`${proxy.base}/c/live/dash/manifest.mpd`, { 'user-agent': agent });
      for (const agent of ['GStreamer souphttpsrc 1.22', 'Lavf/60.16.100']) {
        expect((await ask('Mozilla/5.0')).status).toBe(200);
        expect((await ask(agent)).status).toBe(307);
        expect((await ask('Mozilla/5.0')).status).toBe(200);
      }
    });

    it('says who asked', async () => {
      const claimed = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
      await get(`${proxy.base}/api/v1/channels/live/status?by=${needs.join()}`, claimed);
      const seen = reached.find(({ url }) => url.endsWith(`?by=${needs.join()}`));
      // nginx meets clients and believes none; what comes to Varnish has passed nginx.
      expect(seen?.forwarded).toBe(
        name === 'varnish' ? 'https 203.0.113.9, 127.0.0.1' : 'https 127.0.0.1',
      );
    });
  });
}
