/** One attempt to be on the air: the network worker and its end of the channel to the microphone. */
import type { Rendition } from '../../shared/catalog.ts';
import { millis } from '../../shared/time.ts';
import type { NetworkCommand, UplinkEvent } from '../net/messages.ts';
import type { Scope } from '../scope.ts';

/**
 * How long the goodbye may take before the worker is ended all the same, ms: it may have a minute of
 * sound to send first.
 */
export const GOODBYE = 66_000;

/**
 * Two minutes, which is longer than the server waits before it ends a broadcast, and at most 9 MB
 * (6,000 packets of 1,500 bytes); from ten seconds on a tab that dies shall not take with it what
 * was said.
 */
const REPLAY = { kept: millis(120_000), spoolAfter: millis(10_000) };

/** What a session needs to know. */
export type UplinkOptions = {
  readonly channel: string;
  readonly token: string;
  readonly rendition: Rendition;
  readonly takeover: boolean;
  /** Hands the other end of the channel to the capture worklet. */
  readonly connect: (port: MessagePort) => void;
  readonly onEvent: (event: UplinkEvent) => void;
};

/** How a page commands its network worker. */
export type Say = (command: NetworkCommand, transfer?: Transferable[]) => void;

/** Starts a network worker that ends with the scope. */
export const startNetworkWorker = (scope: Scope, onEvent: (event: UplinkEvent) => void): Say => {
  const worker = new Worker(new URL('../net/network.worker.ts', import.meta.url), {
    type: 'module',
  });
  scope.add(() => worker.terminate());
  scope.on(worker, 'message', (event) => onEvent((event as MessageEvent<UplinkEvent>).data));
  return (command, transfer = []) => worker.postMessage(command, transfer);
};

/** Starts a session that ends with the scope; `leave` said to it makes it say goodbye first. */
export const openUplink = (scope: Scope, options: UplinkOptions): Say => {
  const { channel, token, rendition, takeover, connect, onEvent } = options;
  const say = startNetworkWorker(scope, onEvent);
  const { port1, port2 } = new MessageChannel();
  connect(port1);
  say(
    {
      type: 'publish',
      server: location.origin,
      channel,
      token,
      rendition,
      takeover,
      replay: REPLAY,
      port: port2,
    },
    [port2],
  );
  return say;
};
