/** The pages: static files of the built client, and which page stands at which address. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Station } from '../relay/station.ts';
import { deskOf } from './channels.ts';

const DEFAULT_CHANNEL = 'live';
const YEAR = 31_536_000;

/** What a page may do: its own scripts and wasm, its own server, pictures from anywhere safe. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: https:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

type OfChannel = { Params: { channel: string } };

/** Registers the pages and their assets from the folder of the built client. */
export const registerPages = async (
  app: FastifyInstance,
  { folder, station }: { folder: string; station: Station },
): Promise<void> => {
  if (!existsSync(join(folder, 'listen.html'))) {
    app.log.warn('The client is not built, so there are no pages; npm start builds it.');
    return;
  }
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    maxAge: YEAR * 1000,
    immutable: true,
    index: false,
    decorateReply: true,
  });

  const page = (reply: FastifyReply, name: string): FastifyReply =>
    reply
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'same-origin')
      .header('x-content-type-options', 'nosniff')
      .header('permissions-policy', 'microphone=(self), autoplay=(self)')
      .sendFile(name, folder, { maxAge: 0, immutable: false, cacheControl: false });

  app.get('/', (_request, reply) => page(reply, 'index.html'));
  app.get('/studio', (_request, reply) => reply.redirect(`/studio/${DEFAULT_CHANNEL}`));
  app.get<OfChannel>('/studio/:channel', (request, reply) => {
    deskOf(station, request);
    return page(reply, 'studio.html');
  });
  app.get<OfChannel>('/c/:channel', (request, reply) => {
    deskOf(station, request);
    return page(reply, 'listen.html');
  });
};
