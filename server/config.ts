/**
 * The service's options: one table, from which come the command line, the environment and the help.
 * A flag wins over the environment, which wins over the default.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SAMPLE_RATE, samples } from '../shared/time.ts';
import type { Grid, Rendition } from './packager/track.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Everything the service can be told from outside. */
export type Config = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Folder of the database and the generated admin token. */
  readonly data: string;
  /** Origin under which the public reaches the service, when a proxy stands in front. */
  readonly publicUrl: string | undefined;
  readonly adminToken: string | undefined;
  readonly trustProxy: boolean;
  /** PEM of certificate chain and key; both or neither. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Origins other than our own that may open a WebSocket. */
  readonly allowedOrigins: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** AAC renditions of HLS and DASH, best first. */
  readonly ladder: readonly Rendition[];
  readonly grid: Grid;
  /** Live HLS and DASH window, seconds. */
  readonly window: number;
  /** Whether broadcasts are recorded at all; each channel has a setting as well. */
  readonly record: boolean;
  /** Recording stops while less than this is free on the disk, bytes. */
  readonly recordMinFree: number;
};

/** A value that cannot be used; the message is one sentence for the person who starts the service. */
export class ConfigError extends Error {}

type Option = { readonly placeholder: string; readonly preset: string; readonly says: string };

const OPTIONS = {
  host: { placeholder: 'ADDRESS', preset: '127.0.0.1', says: 'address to listen on' },
  port: { placeholder: 'PORT', preset: '8080', says: 'port to listen on; 0 takes any free one' },
  data: { placeholder: 'FOLDER', preset: './data', says: 'folder for the database and tokens' },
  'public-url': { placeholder: 'URL', preset: '', says: 'where the public reaches the service' },
  'admin-token': {
    placeholder: 'TOKEN',
    preset: '',
    says: 'else generated once, in the data folder',
  },
  'trust-proxy': { placeholder: 'BOOL', preset: 'false', says: 'believe X-Forwarded-* headers' },
  'tls-cert': { placeholder: 'FILE', preset: '', says: 'PEM file with the certificate chain' },
  'tls-key': { placeholder: 'FILE', preset: '', says: 'PEM file with the private key' },
  'allowed-origins': {
    placeholder: 'URLS',
    preset: '',
    says: 'further origins that may open sockets, with commas between',
  },
  ladder: {
    placeholder: 'LIST',
    preset: 'aac:128,aac:64',
    says: 'HLS and DASH renditions, codec:kbit/s',
  },
  part: { placeholder: 'SECONDS', preset: '0.32', says: 'length of a part, n times 0.32' },
  segment: { placeholder: 'SECONDS', preset: '3.84', says: 'length of a segment, n parts' },
  window: { placeholder: 'SECONDS', preset: '60', says: 'how much live HLS and DASH keep' },
  record: { placeholder: 'BOOL', preset: 'true', says: 'record what channels want recorded' },
  'record-min-free': {
    placeholder: 'BYTES',
    preset: '1073741824',
    says: 'stop recording while less is free on the disk',
  },
  'log-level': { placeholder: 'LEVEL', preset: 'info', says: LOG_LEVELS.join(', ') },
} as const satisfies Record<string, Option>;

type OptionName = keyof typeof OPTIONS;
type Values = Record<OptionName, string>;

const names = Object.keys(OPTIONS) as OptionName[];
const variable = (name: OptionName): string => `SKYWAVE_${name.toUpperCase().replaceAll('-', '_')}`;

/** The text of `--help`: every option with its environment variable and default. */
export const helpText = (): string =>
  [
    'Skywave: one microphone, heard everywhere.',
    '',
    'Usage: skywave [options]',
    '',
    ...names.map((name) => {
      const { placeholder, preset, says } = OPTIONS[name];
      const flag = `  --${name} ${placeholder}`.padEnd(28);
      const fallback = preset === '' ? '' : ` (${preset})`;
      return `${flag}${variable(name).padEnd(26)}${says}${fallback}`;
    }),
    '',
    '  --help                    this text',
  ].join('\n');

const parsePort = (value: string): number => {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535)
    throw new ConfigError(`SKYWAVE_PORT is "${value}"; it must be a number from 0 to 65535.`);
  return port;
};

const parseBoolean = (name: OptionName, value: string): boolean => {
  if (['true', '1', 'yes'].includes(value)) return true;
  if (['false', '0', 'no'].includes(value)) return false;
  throw new ConfigError(`${variable(name)} is "${value}"; it must be true or false.`);
};

const parseOrigin = (name: OptionName, value: string): string => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new ConfigError(`${variable(name)} has "${value}"; it must be an http or https URL.`);
  return new URL(value).origin;
};

const readPem = (name: OptionName, path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ConfigError(`${variable(name)} names "${path}", which cannot be read (${why}).`);
  }
};

const parseTls = (values: Values): Config['tls'] => {
  const { 'tls-cert': cert, 'tls-key': key } = values;
  if (cert === '' && key === '') return undefined;
  if (cert === '' || key === '')
    throw new ConfigError('SKYWAVE_TLS_CERT and SKYWAVE_TLS_KEY go together; set both or neither.');
  return { cert: readPem('tls-cert', cert), key: readPem('tls-key', key) };
};

const parseToken = (value: string): string | undefined => {
  if (value !== '' && value.length < 16)
    throw new ConfigError('SKYWAVE_ADMIN_TOKEN is too short; use at least 16 characters.');
  return value === '' ? undefined : value;
};

const parseLogLevel = (value: string): Config['logLevel'] => {
  const level = LOG_LEVELS.find((known) => known === value);
  if (level === undefined)
    throw new ConfigError(`SKYWAVE_LOG_LEVEL is "${value}"; use one of ${LOG_LEVELS.join(', ')}.`);
  return level;
};

const parseLadder = (value: string): Rendition[] => {
  const rungs = value.split(',').map((rung) => /^\s*aac:(\d{2,3})\s*$/.exec(rung)?.[1]);
  const rates = rungs.map(Number);
  if (rates.some((rate) => !(rate >= 32 && rate <= 320)) || new Set(rates).size < rates.length)
    throw new ConfigError(
      `SKYWAVE_LADDER is "${value}"; it must be like aac:128,aac:64, each from 32 to 320 and once.`,
    );
  return rates
    .sort((a, b) => b - a)
    .map((rate) => ({ name: `aac${rate}`, codec: 'aac', channels: 2, bitrate: rate * 1000 }));
};

/** 15 AAC frames and 16 Opus frames of 20 ms: the shortest length at which both can be cut. */
const SHORTEST_PART = 15_360;

const parseGrid = (part: string, segment: string): Grid => {
  const length = Math.round(Number(part) * SAMPLE_RATE);
  if (!(length >= SHORTEST_PART && length <= 4 * SHORTEST_PART && length % SHORTEST_PART === 0))
    throw new ConfigError(`SKYWAVE_PART is "${part}"; it must be 0.32, 0.64, 0.96 or 1.28.`);
  const whole = Math.round(Number(segment) * SAMPLE_RATE);
  if (!(whole >= 4 * length && whole <= 10 * SAMPLE_RATE && whole % length === 0))
    throw new ConfigError(
      `SKYWAVE_SEGMENT is "${segment}"; it must be at least four whole parts and at most 10 s.`,
    );
  return { part: samples(length), segment: samples(whole) };
};

const parseWindow = (value: string): number => {
  const seconds = Number(value);
  if (!(seconds >= 20 && seconds <= 86_400))
    throw new ConfigError(`SKYWAVE_WINDOW is "${value}"; it must be from 20 to 86400 seconds.`);
  return seconds;
};

const parseBytes = (name: OptionName, value: string): number => {
  if (!/^\d{1,15}$/.test(value))
    throw new ConfigError(`${variable(name)} is "${value}"; it must be a number of bytes.`);
  return Number(value);
};

const parseFlags = (args: readonly string[]): Partial<Values> & { help?: boolean } => {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } } })
      .values;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new ConfigError(`${why}; --help lists the options.`);
  }
};

/**
 * Reads the options from the command line and the environment.
 *
 * @returns 'help' when the help was asked for.
 * @throws {ConfigError} with a sentence that names the first value that cannot be used.
 */
export const readConfig = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Config | 'help' => {
  const flags = parseFlags(args);
  if (flags.help === true) return 'help';
  const values = Object.fromEntries(
    names.map((name) => [
      name,
      (flags[name] ?? environment[variable(name)] ?? OPTIONS[name].preset).trim(),
    ]),
  ) as Values;
  const publicUrl = values['public-url'];
  return {
    host: values.host,
    port: parsePort(values.port),
    data: resolve(values.data),
    publicUrl: publicUrl === '' ? undefined : parseOrigin('public-url', publicUrl),
    adminToken: parseToken(values['admin-token']),
    trustProxy: parseBoolean('trust-proxy', values['trust-proxy']),
    tls: parseTls(values),
    allowedOrigins: values['allowed-origins']
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== '')
      .map((origin) => parseOrigin('allowed-origins', origin)),
    logLevel: parseLogLevel(values['log-level']),
    ladder: parseLadder(values.ladder),
    grid: parseGrid(values.part, values.segment),
    window: parseWindow(values.window),
    record: parseBoolean('record', values.record),
    recordMinFree: parseBytes('record-min-free', values['record-min-free']),
  };
};
