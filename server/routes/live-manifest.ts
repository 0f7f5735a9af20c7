/** The DASH manifest of a programme as it stands, rendered once a part. */
import { type Millis, samples, samplesToMillis } from '../../shared/time.ts';
import { manifest } from '../packager/dash.ts';
import { type Period, periodsOf, zeroOf } from '../packager/dash-periods.ts';
import type { Addressing } from '../packager/dash-view.ts';
import { bitratesOf } from '../packager/hls-bitrates.ts';
import type { Output } from '../packager/output.ts';
import type { Programme } from '../packager/programme.ts';
import type { Rendered } from '../packager/render-cache.ts';
import type { Grid, Segment } from '../packager/track.ts';
import type { Now } from '../relay/session.ts';

type Wanted = {
  readonly addressing: Addressing;
  readonly title: string;
  /** Where players begin, behind live; undefined: as low as they can. */
  readonly latency: Millis | undefined;
};
type AdaptationSet = { readonly id: number; readonly outputs: readonly Output[] };

/** Changes whenever one of the outputs does, or there are others. */
export const versionOf = (outputs: readonly Output[]): string =>
  outputs.map(({ rendition, version }) => `${rendition.name} ${version}`).join();

/** Segments that are the same in all outputs of a set, as far as the slowest has got. */
const commonSegments = (outputs: readonly Output[]): readonly Segment[] => {
  const ends = outputs.map(({ window }) => window.segments.at(-1)?.sequence ?? -1);
  const slowest = outputs[ends.indexOf(Math.min(...ends))];
  return slowest?.window.segments ?? [];
};

/**
 * Another set may have come further than the main one, into a Period that is not there yet: what it
 * has of that is not told.
 */
const beforeNext = (
  segments: readonly Segment[],
  told: { periods: readonly Period[]; main: readonly Segment[]; grid: Grid },
): readonly Segment[] => {
  const { periods, main, grid } = told;
  const newest = main.at(-1)?.sequence ?? -1;
  const last = periods.at(-1)?.sequence ?? -1;
  const further = segments.filter(({ sequence }) => sequence > newest);
  const next = periodsOf(periods, further, grid).find(({ sequence }) => sequence > last);
  return next === undefined
    ? segments
    : segments.filter(({ sequence }) => sequence < next.sequence);
};

/** Periods never change, so those at the ends tell. */
const samePeriods = (some: readonly Period[], others: readonly Period[]): boolean =>
  some.length === others.length &&
  some[0]?.sequence === others[0]?.sequence &&
  some.at(-1)?.sequence === others.at(-1)?.sequence;

/** Makes manifests; when a programme began and which Periods it had outlives a restart. */
export class LiveManifests {
  readonly #grid: Grid;
  readonly #now: Now;

  constructor({ grid, now }: { readonly grid: Grid; readonly now: Now }) {
    this.#grid = grid;
    this.#now = now;
  }

  /** The manifest as it stands; undefined while nothing can be played. */
  get(programme: Programme, wanted: Wanted): Rendered | undefined {
    const sets = [
      { id: 1, outputs: programme.playable('aac').filter((o) => o.rendition.codec === 'aac') },
      { id: 2, outputs: programme.playable('opus') },
    ].filter(({ outputs }) => outputs.length > 0);
    const [main] = sets;
    if (main === undefined) return undefined;
    const version = versionOf(sets.flatMap(({ outputs }) => outputs));
    const { addressing, title, latency = 'low' } = wanted;
    return programme.texts.get(`manifest ${addressing} ${latency}`, `${version} ${title}`, () =>
      this.#render(programme, { sets, main, ...wanted }),
    );
  }

  #render(
    programme: Programme,
    {
      sets,
      main,
      addressing,
      title,
      latency,
    }: Wanted & { sets: readonly AdaptationSet[]; main: AdaptationSet },
  ): string {
    const grid = this.#grid;
    const segments = commonSegments(main.outputs);
    const known = programme.folder.kept.manifest;
    const current = periodsOf(known?.periods ?? [], segments, grid);
    const begun = known?.start ?? current[0]?.utc ?? this.#now();
    if (known === null || !samePeriods(known.periods, current))
      programme.folder.keep({ manifest: { start: begun, periods: current } });
    const ended = programme.ended && main.outputs.every(({ window }) => window.ended);
    const complete = segments.filter((segment) => segment.complete).length;
    return manifest({
      grid,
      title,
      sets: sets.map(({ id, outputs }) => ({
        id,
        representations: outputs.map(({ rendition, window }) => ({
          rendition,
          bitrates: bitratesOf(rendition, window.segments, { grid }),
        })),
        segments: beforeNext(commonSegments(outputs), { periods: current, main: segments, grid }),
      })),
      periods: current,
      addressing,
      published: this.#now(),
      ended,
      availabilityStart: zeroOf(current, { begun, ended, continuous: programme.continuous }),
      latency,
      windowLength: samplesToMillis(samples(complete * grid.segment)),
      titles: programme.titles,
      initUri: `../media/${programme.secret}/$RepresentationID$/init.mp4`,
      mediaUri: `../media/${programme.secret}/$RepresentationID$/$Number$.m4s`,
      timeUri: 'time',
    });
  }
}
