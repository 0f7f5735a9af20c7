/**
 * Writes down, without a hook in the product, what crosses between a page and its workers and
 * worklets, and what a person clicks; each with the wall clock.
 */
import type { BrowserContext, Page } from 'playwright-core';
import type { DownlinkEvent, NetworkCommand, UplinkEvent } from '../../client/net/messages.ts';
import type { CaptureReading } from '../../worklets/port.ts';

/** One thing that happened in a page. */
export type LoggedEvent = { readonly at: number } & (
  | { readonly from: 'person'; readonly data: { readonly type: 'click'; readonly name: string } }
  | { readonly from: 'page'; readonly data: NetworkCommand }
  | { readonly from: 'network'; readonly data: UplinkEvent | DownlinkEvent }
  | { readonly from: 'worklet'; readonly data: CaptureReading }
);

type LoggingWindow = { eventLog?: unknown[] };

/** Runs in the page before its own scripts; sent as text, so it uses nothing from outside. */
const logPage = (): void => {
  const MOST = 100_000;
  const log: unknown[] = [];
  (window as LoggingWindow).eventLog = log;
  const note = (from: string, data: unknown): void => {
    if (log.length < MOST) log.push({ at: Date.now(), from, data });
  };
  const plain = (data: { type?: string; latency?: number }): unknown => ({
    type: data.type,
    latency: data.latency,
  });
  const OriginalWorker = Worker;
  window.Worker = class Worker extends OriginalWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener('message', ({ data }) => note('network', data));
    }
    // Ports cannot be logged; what matters of a command is its type and latency.
    override postMessage(...args: unknown[]): void {
      note('page', plain(args[0] as { type?: string }));
      super.postMessage(...(args as [unknown]));
    }
  };
  if (typeof AudioWorkletNode !== 'undefined') {
    const OriginalNode = AudioWorkletNode;
    window.AudioWorkletNode = class AudioWorkletNode extends OriginalNode {
      constructor(context: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
        super(context, name, options);
        if (name !== 'measuring-tap')
          this.port.addEventListener('message', ({ data }) => note('worklet', data));
      }
    };
  }
  addEventListener(
    'click',
    (event) => {
      const button = event.composedPath().find((node) => node instanceof HTMLButtonElement);
      note('person', {
        type: 'click',
        name: button?.getAttribute('aria-label') ?? button?.textContent?.trim() ?? '',
      });
    },
    { capture: true },
  );
};

/** Installs the log in every page that `target` opens from now on. */
export const installEventLog = (target: Page | BrowserContext): Promise<unknown> =>
  target.addInitScript(logPage);

/** What has happened in a page so far. */
export const readEventLog = (page: Page): Promise<LoggedEvent[]> =>
  page.evaluate(() => (window as LoggingWindow).eventLog as LoggedEvent[]);
