/** How a player gets over a service that went away, as its log tells it. */
import type { PlayerLog } from './player-page.ts';
import type { PlayerSample } from './player-script.ts';

/** Less than this between two samples 200 ms apart is standing still, s. */
const MOVES = 0.05;

/** Who moves for so long without standing still plays on, ms. */
const FOR_GOOD = 2000;

/** Times in ms. */
export type PlayerReturn = {
  /** How long the playhead stood still until it played on. */
  readonly stood: number;
  /** From readiness until it plays on, with sound it did not have before; Infinity if never. */
  readonly back: number;
  /** How long it has done so. */
  readonly plays: number;
  readonly fatal: readonly string[];
};

/** Reads what a player did since `killed`; the service was ready at `ready`; both ms UTC. */
export const returnOf = (
  { samples, events }: PlayerLog,
  { killed, ready }: { killed: number; ready: number },
): PlayerReturn => {
  const before = samples.findLast(({ wall }) => wall <= killed);
  const had = (before?.position ?? 0) + (before?.ahead ?? 0);
  const since = samples.filter(({ wall }) => wall > killed);
  const stands = since.flatMap((sample, index) => {
    const last: PlayerSample | undefined = since[index - 1] ?? before;
    return last === undefined || sample.position - last.position >= MOVES
      ? []
      : [{ until: sample.wall, span: sample.wall - last.wall }];
  });
  // A later stall is another matter: the machine is shared.
  const fresh = since.findIndex(({ position, wall }) => wall >= ready && position > had);
  const begins = since.findIndex(
    ({ wall }, index) =>
      fresh >= 0 &&
      index >= fresh &&
      !stands.some(({ until }) => until > wall && until <= wall + FOR_GOOD),
  );
  const at = since[begins]?.wall ?? Number.POSITIVE_INFINITY;
  const last = since.at(-1)?.wall ?? killed;
  return {
    stood: stands.reduce((sum, { until, span }) => sum + (until <= at ? span : 0), 0),
    back: at - ready,
    plays: Math.max(0, last - at),
    fatal: events.filter(({ name }) => name === 'fatal').map(({ detail }) => detail),
  };
};
