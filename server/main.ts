#!/usr/bin/env node
/** Starts the service, prints its links, and ends it when told to. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Service } from './app.ts';
import { type Config, ConfigError, helpText, readConfig } from './config.ts';

const HARD_STOP = 4500;

/**
 * Compiled code is kept beside the data, for the transcoders too: a restart is four times as fast,
 * and listeners wait for it.
 */
const start = async (config: Config): Promise<Service> => {
  process.env.NODE_COMPILE_CACHE ??= join(config.data, 'compiled');
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
  const { createApp } = await import('./app.ts');
  const service = await createApp(config);
  await service.app.listen({ host: config.host, port: config.port });
  flushCompileCache();
  return service;
};

const printLinks = ({ app, token }: Service, config: Config): void => {
  const bound = app.server.address();
  const port = typeof bound === 'object' ? bound?.port : config.port;
  // What listens everywhere is at home here.
  const named = ['0.0.0.0', '::'].includes(config.host) ? 'localhost' : config.host;
  const host = named.includes(':') ? `[${named}]` : named;
  const scheme = config.tls === undefined ? 'http' : 'https';
  const base = config.publicUrl ?? `${scheme}://${host}:${port}`;
  process.stdout.write(
    [
      '',
      'Skywave is up.',
      '',
      `  Studio    ${base}/studio/live#token=${token}`,
      `  Listen    ${base}/c/live`,
      `  HLS       ${base}/c/live/hls/index.m3u8`,
      '',
      '',
    ].join('\n'),
  );
};

const endOnSignal = (service: Service): void => {
  let ending = false;
  const end = (): void => {
    // Whoever asks twice does not want to wait.
    if (ending) process.exit(1);
    ending = true;
    // A peer that never answers must not hold up the promised five seconds.
    setTimeout(() => process.exit(0), HARD_STOP).unref();
    service.shutDown().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
};

try {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') process.stdout.write(`${helpText()}\n`);
  else {
    const service = await start(config);
    endOnSignal(service);
    printLinks(service, config);
  }
} catch (error) {
  const { StoreError } = await import('./store/store.ts');
  if (error instanceof ConfigError || error instanceof StoreError)
    process.stderr.write(`${error.message}\n`);
  else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
    process.stderr.write('The port is in use; choose another with SKYWAVE_PORT.\n');
  else process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
