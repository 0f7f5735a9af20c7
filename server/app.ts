/** The service as one Fastify app: the station behind its routes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyWebsocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { MAX_CONTROL_BYTES, SUBPROTOCOL } from '../shared/control.ts';
import { millis, utc } from '../shared/time.ts';
import { adminToken } from './auth/admin.ts';
import { Guesses } from './auth/guesses.ts';
import { Tickets } from './auth/tickets.ts';
import type { Config } from './config.ts';
import { FileReads } from './packager/file-reads.ts';
import { processTimers, windowSamples } from './packager/timers.ts';
import { COPY } from './recorder/aac-copy.ts';
import { Library, type LibraryOptions } from './recorder/library.ts';
import { Alarms, alarmNews } from './relay/alarms.ts';
import { EventRing } from './relay/event-ring.ts';
import { Liveness } from './relay/liveness.ts';
import type { Now } from './relay/session.ts';
import { Station } from './relay/station.ts';
import { authorizer } from './routes/access.ts';
import { registerChannels } from './routes/channels.ts';
import { registerDates } from './routes/dates.ts';
import { registerEvents } from './routes/events.ts';
import { registerMedia } from './routes/media.ts';
import { registerPages } from './routes/pages.ts';
import { registerProblems } from './routes/problem.ts';
import { registerRecordingHls } from './routes/recording-hls.ts';
import { registerRecordings } from './routes/recordings.ts';
import { registerSockets } from './routes/sockets.ts';
import { closeRefusedUpgrades } from './routes/upgrades.ts';
import { Store } from './store/store.ts';
import { isInstalled, NO_ENCODER } from './transcoder/lack-of-aac.ts';
import type { AacName } from './transcoder/messages.ts';
import { ChildTranscoder } from './transcoder/transcoder.ts';

/** Time for farewells to leave before sockets are closed, ms. */
const DRAIN = 250;

/** A built service. */
export type Service = {
  readonly app: FastifyInstance;
  readonly station: Station;
  readonly library: Library;
  readonly token: string;
  /** Says goodbye to everyone, then closes; ends well inside 5 s. */
  readonly shutDown: () => Promise<void>;
};

/** The built pages: beside us when published, in dist/ when run from the sources. */
const builtPages = (): string => {
  const folders = ['../dist/client', '../client'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return folders.find((folder) => existsSync(join(folder, 'assets'))) ?? folders[0] ?? '';
};

const { timeOrigin } = performance;

/** UTC that never steps: the wall clock at start, advanced by the monotonic clock. */
const steadyUtc: Now = () => utc(timeOrigin + performance.now());

const serverOptions = (config: Config): FastifyServerOptions => {
  const options: FastifyServerOptions = {
    logger: config.logLevel === 'silent' ? false : { level: config.logLevel },
    // A line a request would drown what matters here.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: config.trustProxy,
    bodyLimit: 65_536,
    // What a request says is taken as it is or refused, never mended.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    // At the end nobody's idle connection may hold up the exit.
    forceCloseConnections: true,
    // Slow connections may not hold a place for minutes.
    requestTimeout: 10_000,
    keepAliveTimeout: 15_000,
    routerOptions: { maxParamLength: 200 },
  };
  return config.tls === undefined ? options : ({ ...options, https: config.tls } as typeof options);
};

/** What tests and other surroundings give a service instead of the real thing. */
export type AppOptions = Partial<Pick<LibraryOptions, 'now' | 'free'>> & {
  /** Folder of the built client. */
  readonly pages?: string;
  /** AAC encoders to try in turn; none is as if node-av were not installed. */
  readonly encoders?: readonly AacName[];
};

/** Builds the service; it does not listen yet. */
export const createApp = async (
  config: Config,
  { now = steadyUtc, pages = builtPages(), free, encoders }: AppOptions = {},
): Promise<Service> => {
  const app = fastify(serverOptions(config));
  const store = Store.open(config.data);
  const events = new EventRing();
  const alarms = new Alarms({
    log: app.log,
    now,
    tell: (alarm) => events.push(alarmNews(alarm)),
  });
  let saidNoAac = false;
  const lacksAac = (): void => {
    if (!saidNoAac) app.log.warn(NO_ENCODER);
    saidNoAac = true;
  };
  if (!isInstalled()) lacksAac();
  const transcoding = { log: app.log, now: () => performance.now(), lacksAac };
  const library = await Library.open({
    store,
    folder: config.data,
    enabled: config.record,
    minFree: config.recordMinFree,
    log: app.log,
    now,
    createTranscoder: (sink) => new ChildTranscoder(sink, { ...transcoding, ladder: [COPY] }),
    ...(free === undefined ? {} : { free }),
    alarm: (channel, detail) => alarms.raiser(channel)('disk', detail),
  });
  const station = new Station({
    store,
    library,
    events,
    alarms,
    log: app.log,
    now,
    windows: { folder: join(config.data, 'windows'), reads: new FileReads() },
    packaging: {
      grid: config.grid,
      ladder: config.ladder,
      window: windowSamples(config.window),
      timers: processTimers(() => millis(performance.now())),
      createTranscoder: (sink) =>
        new ChildTranscoder(sink, {
          ...transcoding,
          ladder: config.ladder,
          ...(encoders === undefined ? {} : { encoders }),
        }),
    },
  });
  const token = config.adminToken ?? adminToken(config.data);
  const tickets = new Tickets();
  const authorize = authorizer(token, { guesses: new Guesses(), now });
  const allowedOrigins = [
    ...config.allowedOrigins,
    ...(config.publicUrl ? [config.publicUrl] : []),
  ];

  registerProblems(app);
  registerDates(app, { now });
  await app.register(fastifyWebsocket, {
    // A session logs what its peer does, once; only a failure of our own ends here.
    errorHandler: (error, socket) => {
      if (!('code' in error && String(error.code).startsWith('WS_ERR_'))) socket.terminate();
    },
    options: {
      maxPayload: MAX_CONTROL_BYTES,
      maxFragments: 16,
      maxBufferedChunks: 1024,
      perMessageDeflate: false,
      handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    },
  });
  closeRefusedUpgrades(app);
  const liveness = new Liveness(() => app.websocketServer.clients);

  registerChannels(app, { station, tickets, authorize, now });
  registerEvents(app, { station, tickets, authorize, now });
  registerSockets(app, { station, tickets, liveness, now, allowedOrigins });
  registerMedia(app, { station, grid: config.grid, now });
  registerRecordings(app, {
    station,
    library,
    recordings: store.recordings,
    authorize,
    now,
  });
  registerRecordingHls(app, { station, library, authorize });
  await registerPages(app, { folder: pages, station });
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) =>
    reply
      .status(station.draining ? 503 : 200)
      .send({ status: station.draining ? 'draining' : 'ready' }),
  );

  app.addHook('onClose', async () => {
    liveness.stop();
    await station.stop();
    store.close();
  });

  const shutDown = async (): Promise<void> => {
    station.drain();
    await new Promise((resolve) => setTimeout(resolve, DRAIN));
    await station.pause();
    for (const socket of app.websocketServer.clients) socket.terminate();
    await app.close();
  };
  return { app, station, library, token, shutDown };
};
