/** A service as its own process that is on the air, with listeners, for tests that maltreat it. */
import { Ear } from './ear.ts';
import { EventReader, type ReadEvent } from './event-reader.ts';
import type { KnownPackets } from './known-packets.ts';
import { type LiveService, startLiveService } from './live-service.ts';
import { untilTrue } from './patience.ts';
import { RecordingClient } from './recording-client.ts';
import { ReturningPublisher } from './returning-publisher.ts';
import { warningsOf } from './service-warnings.ts';

/** What a fault is done to, and what is measured by. */
export type OnAir = {
  readonly service: LiveService;
  readonly pid: number;
  readonly base: string;
  readonly token: string;
  readonly publisher: ReturningPublisher;
  readonly ears: readonly Ear[];
  readonly events: EventReader;
  readonly recordings: RecordingClient;
  /** What the service warned of since it began. */
  readonly warnings: readonly string[];
  readonly stop: () => Promise<void>;
};

/** An alarm of a kind, as it begins. */
export const alarmBegins =
  (kind: string) =>
  ({ event, data }: ReadEvent): boolean =>
    event === 'alarm' && data.kind === kind && data.until === null;

/** Starts a service and a publisher of packets, and lets listeners hear it. */
export const goOnAir = async (
  { packets }: KnownPackets,
  { listeners = 5, environment = {} }: { listeners?: number; environment?: Record<string, string> },
): Promise<OnAir> => {
  const service = await startLiveService(environment);
  const warnings = warningsOf(service.child);
  const base = `http://127.0.0.1:${service.port}`;
  const token = new URL(service.studio).hash.replace('#token=', '');
  const publisher = new ReturningPublisher({ server: base, token }, { packets });
  const ears = Array.from({ length: listeners }, () => new Ear(base));
  const authorization = `Bearer ${token}`;
  const events = await EventReader.open(`${base}/api/v1/events`, { authorization });
  await untilTrue(() => ears.every(({ heard }) => heard > 25) && publisher.acked > 0);
  return {
    ...{ service, base, token, publisher, ears, events, warnings },
    pid: service.child.pid ?? 0,
    recordings: new RecordingClient(() => ({ base, token })),
    stop: async () => {
      events.close();
      for (const ear of ears) ear.close();
      publisher.end();
      await service.stop();
    },
  };
};

/** The longest pause that any of the listeners heard, ms, and the frames they missed together. */
export const heardBy = (ears: readonly Ear[]): { pause: number; missed: number } => ({
  pause: Math.max(...ears.map(({ pause }) => pause)),
  missed: ears.reduce((sum, { missed }) => sum + missed, 0),
});
