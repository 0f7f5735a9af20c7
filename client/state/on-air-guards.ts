/** What a page does so that a broadcast does not end by accident. */
import type { Scope } from '../scope.ts';

/** Until the scope ends, the browser asks before the page is closed or left. */
export const warnBeforeLeaving = (scope: Scope): void => {
  scope.on(globalThis as unknown as EventTarget, 'beforeunload', (event) => event.preventDefault());
};

/**
 * Until the scope ends, the screen stays on while the page is seen. The lock goes whenever the page
 * is hidden and is asked for again afterwards; a browser that refuses it changes nothing else.
 */
export const keepAwake = (scope: Scope): void => {
  let lock: WakeLockSentinel | null = null;
  const ask = async (): Promise<void> => {
    if (document.hidden || scope.disposed || !('wakeLock' in navigator)) return;
    try {
      const granted = await navigator.wakeLock.request('screen');
      if (scope.disposed) await granted.release();
      else lock = granted;
    } catch {
      // On battery saving the browser refuses; the broadcast goes on all the same.
    }
  };
  scope.on(document, 'visibilitychange', () => void ask());
  scope.add(() => void lock?.release().catch(() => undefined));
  void ask();
};
