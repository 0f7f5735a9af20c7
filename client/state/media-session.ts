/** The keys of keyboards, headsets and lock screens. */

/** What the system is told, and what its keys do. */
export type MediaSessionOptions = {
  readonly title: string;
  readonly playing: boolean;
  readonly onPlay: () => void;
  readonly onPause: () => void;
};

/** Tells the system what plays here; nothing before the first Listen, so that no other page's keys are taken. */
export const announce = ({ title, playing, onPlay, onPause }: MediaSessionOptions): void => {
  const { mediaSession } = navigator;
  if (!mediaSession) return;
  if (!playing) {
    if (mediaSession.metadata) mediaSession.playbackState = 'paused';
    return;
  }
  mediaSession.playbackState = 'playing';
  if (mediaSession.metadata?.title !== title)
    mediaSession.metadata = new MediaMetadata({ title, artist: 'Skywave' });
  mediaSession.setActionHandler('play', onPlay);
  mediaSession.setActionHandler('pause', onPause);
  mediaSession.setActionHandler('stop', onPause);
};
