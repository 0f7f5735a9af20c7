/**
 * Players of other people in real Chromium: a page for each, served from node_modules by the test
 * itself, which logs where the player stands and what happens to it.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { PROCESSOR } from '../../worklets/port.ts';
import {
  type PlayerEvent,
  type PlayerSample,
  type PlayerSettings,
  startPlayer,
} from './player-script.ts';

/** A player, and the file that brings it. */
export const PLAYERS = {
  'hls.js': 'hls.js/dist/hls.min.js',
  shaka: 'shaka-player/dist/shaka-player.compiled.js',
  'dash.js': 'dashjs/dist/modern/umd/dash.all.min.js',
} as const;

export type PlayerName = keyof typeof PLAYERS;

/** What a player was asked, and what it then did. */
export type PlayerLog = {
  readonly samples: readonly PlayerSample[];
  readonly events: readonly PlayerEvent[];
};

/** A page as far as players need one, whoever drives it. */
export type DrivenPage = {
  goto: (url: string) => Promise<unknown>;
  evaluate: <A, R>(act: (argument: A) => R | Promise<R>, argument: A) => Promise<R>;
};

/** One player at one address, playing. */
export type PlayerPage<P = Page> = {
  readonly player: PlayerName;
  readonly url: string;
  readonly page: P;
  readonly log: () => Promise<PlayerLog>;
};

/** A server of player pages, on a port of its own, so that the media is of another origin. */
export type PlayerPages = {
  readonly base: string;
  readonly stop: () => Promise<void>;
};

/** Some players do not export these files by name. */
const libraryOf = (name: string): Promise<Buffer> =>
  readFile(new URL(`../../node_modules/${name}`, import.meta.url));

/** Passes sound on; a tap that waits for a node of this name records what it passes. */
const passThrough = `registerProcessor('${PROCESSOR.playback}', class extends AudioWorkletProcessor {
  process([input], [output]) {
    for (const [index, channel] of input.entries()) output[index]?.set(channel);
    return true;
  }
});`;

/** Serves `/{player}` and what these pages need. */
export const servePlayers = async (): Promise<PlayerPages> => {
  const server = createServer(async (request, reply) => {
    const path = (request.url ?? '/').slice(1);
    const send = (type: string, body: string | Buffer): void => {
      reply.writeHead(200, { 'content-type': type }).end(body);
    };
    if (path === 'pass-through.js') return send('text/javascript', passThrough);
    if (path.endsWith('/library.js')) {
      const name = path.slice(0, -'/library.js'.length) as PlayerName;
      return send('text/javascript', await libraryOf(PLAYERS[name]));
    }
    if (!Object.hasOwn(PLAYERS, path)) return reply.writeHead(404).end();
    return send(
      'text/html',
      `<!doctype html><title>${path}</title><link rel="icon" href="data:,"><audio></audio><script src="/${path}/library.js"></script>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Opens a player's page and presses play; resolves at the first sound. */
export const openPlayer = async <P extends DrivenPage>(
  context: { newPage: () => Promise<P> },
  pages: PlayerPages,
  { player, url, settings = {} }: { player: PlayerName; url: string; settings?: PlayerSettings },
): Promise<PlayerPage<P>> => {
  const page = await context.newPage();
  await page.goto(`${pages.base}/${player}`);
  await page.evaluate(startPlayer, { player, url, settings });
  const log = (): Promise<PlayerLog> =>
    page.evaluate(() => (window as unknown as { playerLog: PlayerLog }).playerLog, null);
  return { player, url, page, log };
};

/** Position against the clock, and what went wrong; times in seconds. */
export type PlayerFigures = {
  /** Capture to playhead by the player's own account of UTC: not in it is the output device. */
  readonly delays: { readonly count: number; readonly p50: number; readonly p95: number };
  /** Media time played against wall time, after settling: 1 where nothing stood still. */
  readonly pace: number;
  readonly played: number;
  /** Median speed of the player, stalls apart. */
  readonly speed: number;
  readonly stalls: number;
  readonly jumps: number;
  readonly fatal: readonly string[];
};

/** Value below which `share` of them lie. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[
    Math.min(values.length - 1, Math.floor(share * values.length))
  ] ?? Number.NaN;

/** Reads a log from `settle` seconds after the player began to move. */
export const figuresOf = ({ samples, events }: PlayerLog, { settle = 4 } = {}): PlayerFigures => {
  const begun = events.find(({ name }) => name === 'playing')?.wall ?? Number.POSITIVE_INFINITY;
  const from = begun + settle * 1000;
  const settled = samples.filter(({ wall }) => wall >= from);
  const [first, last] = [settled[0], settled.at(-1)];
  const delays = settled.flatMap(({ wall, date }) => (date === null ? [] : [(wall - date) / 1000]));
  const count = (names: readonly string[]): number =>
    events.filter(({ name, wall }) => names.includes(name) && wall >= from).length;
  const wall = last && first ? (last.wall - first.wall) / 1000 : 0;
  const moved = last && first ? last.position - first.position : 0;
  return {
    delays: { count: delays.length, p50: quantile(delays, 0.5), p95: quantile(delays, 0.95) },
    pace: wall > 0 ? moved / wall : 0,
    played: (samples.at(-1)?.position ?? 0) - (samples.find((s) => s.wall >= begun)?.position ?? 0),
    speed: quantile(
      settled.map(({ rate }) => rate).filter((rate) => rate > 0),
      0.5,
    ),
    stalls: count(['waiting']),
    jumps: count(['seeking']),
    fatal: events.filter(({ name }) => name === 'fatal').map(({ detail }) => detail),
  };
};

/** A row of a table for a log. */
export const describePlayer = (name: string, figures: PlayerFigures, heard?: string): string => {
  const { delays, pace, speed, played, stalls, jumps, fatal } = figures;
  return (
    `  ${name.padEnd(26)}position p50 ${delays.p50.toFixed(2)} s, p95 ${delays.p95.toFixed(2)} s` +
    `${heard === undefined ? '' : `; ear ${heard}`}; stalls ${stalls}, jumps ${jumps}, ` +
    `speed ${speed.toFixed(2)}, pace ${pace.toFixed(3)}, played ${played.toFixed(1)} s${fatal.length > 0 ? `; FATAL ${fatal.join('; ')}` : ''}`
  );
};
