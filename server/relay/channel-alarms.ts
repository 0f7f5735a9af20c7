/** Looks after one channel ten times a second: silence, clipping, a lost uplink, dying transcoders. */
import type { AlarmKind } from '../../shared/control.ts';
import type { Utc } from '../../shared/time.ts';
import {
  areRepeated,
  type Patience,
  type Repeats,
  repeats,
  type Watch,
  WELL,
  watch,
} from './alarm-watch.ts';
import type { RaiseAlarm } from './alarms.ts';
import type { Channel } from './channel.ts';
import type { SoundSource } from './vitals.ts';

/** Troubles that a channel shows by itself. */
type Watched = Extract<AlarmKind, 'silence' | 'clipping' | 'uplink' | 'transcoder'>;

const WATCHED: Record<Watched, Patience & { readonly detail: string }> = {
  silence: {
    raise: 10_000,
    clear: 1000,
    detail: 'The channel is on the air and silent: nothing above -60 dBFS for 10 s.',
  },
  clipping: {
    raise: 0,
    clear: 0,
    detail: 'The sound clips: above -0.1 dBTP three times within 10 s.',
  },
  uplink: {
    raise: 1000,
    clear: 0,
    detail: 'The uplink is lost: no frame has come for more than 1.5 s.',
  },
  transcoder: {
    raise: 0,
    clear: 10_000,
    detail: 'A transcoder died or hung and was replaced.',
  },
};

const KINDS = Object.keys(WATCHED) as Watched[];

/** True peak that counts as clipping, dBTP. */
const CLIPS_ABOVE = -0.1;

/** The watches of one channel. */
export class ChannelAlarms {
  readonly #channel: Channel;
  readonly #sound: SoundSource;
  readonly #raise: RaiseAlarm;
  readonly #watches: Record<Watched, Watch> = {
    silence: WELL,
    clipping: WELL,
    uplink: WELL,
    transcoder: WELL,
  };
  #clips: Repeats = [];
  #restarts = 0;

  constructor(channel: Channel, { sound, raise }: { sound: SoundSource; raise: RaiseAlarm }) {
    this.#channel = channel;
    this.#sound = sound;
    this.#raise = raise;
  }

  /** Lets time pass. */
  tick(now: Utc): void {
    const wrong = this.#look(now);
    for (const kind of KINDS) {
      const before = this.#watches[kind];
      // Off the air nobody waits to see whether it comes back.
      const after = this.#channel.onAir
        ? watch(before, { wrong: wrong[kind], now }, WATCHED[kind])
        : WELL;
      if (after === before) continue;
      this.#watches[kind] = after;
      if (before.is !== 'raised' && after.is === 'raised') this.#raise(kind, WATCHED[kind].detail);
      if (before.is === 'raised' && after.is !== 'raised') this.#raise(kind, null);
    }
  }

  #look(now: Utc): Record<Watched, boolean> {
    const { state, onAir } = this.#channel;
    const { loudness, restarts } = this.#sound;
    const clips = onAir && loudness !== null && loudness.peak > CLIPS_ABOVE;
    this.#clips = onAir ? repeats(this.#clips, clips, now) : [];
    // A new programme counts from nought.
    const replaced = restarts > this.#restarts;
    this.#restarts = restarts;
    return {
      // While no frames come it is the uplink that needs somebody.
      silence: state !== 'filling' && loudness !== null && loudness.silentSince !== null,
      clipping: areRepeated(this.#clips, now),
      uplink: state === 'holding' || state === 'filling',
      transcoder: replaced,
    };
  }
}
