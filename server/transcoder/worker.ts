/**
 * The child process of one channel's transcoder: native codecs run here and nowhere else, so a crash
 * in them costs this process only. It ends when its parent does.
 */
import { loadAac } from './aac-encoder.ts';
import type { AacName, FromChild, ToChild } from './messages.ts';
import { Transcoding } from './transcoding.ts';

const say = (message: FromChild): void => {
  // A parent that is gone is noticed by `disconnect`.
  process.send?.(message, undefined, undefined, () => {});
};

process.on('disconnect', () => process.exit(0));
// A signal to the whole process group is for the parent to answer.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const codec = await loadAac(process.argv.slice(2) as AacName[]);
let transcoding: Transcoding | undefined;

process.on('message', (message: ToChild) => {
  switch (message.kind) {
    case 'begin':
      transcoding = new Transcoding(codec, message);
      transcoding.setLowRates(message.lowRates);
      return;
    case 'lowRates':
      transcoding?.setLowRates(message.lowRates);
      return;
    case 'feed':
      if (transcoding !== undefined) say(transcoding.feed(message.pieces));
  }
});
say({ kind: 'ready', aac: codec?.name ?? null });
