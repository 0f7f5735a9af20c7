/** Starts Debian's Chromium for tests, with a WAV file as its microphone. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { programPath } from './program-path.ts';

/** Where Chromium is: what the environment's CHROMIUM says, else on the PATH. */
export const chromiumPath = (): string =>
  programPath('chromium', 'CHROMIUM') ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
];

export type LaunchOptions = {
  /** A WAV file, played in a loop; without it the microphone beeps. */
  readonly microphone?: string;
  readonly args?: readonly string[];
};

/** Starts a headless browser; whoever starts it closes it. */
export const launchChromium = ({ microphone, args = [] }: LaunchOptions = {}): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: [
      ...FLAGS,
      ...(microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphone}`]),
      ...args,
    ],
  });

/** Opens a context that may use the microphone, and in which taps work in spite of a page's CSP. */
export const newListeningContext = (
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> =>
  browser.newContext({ permissions: ['microphone'], bypassCSP: true, ...options });

const MOST_COMPLAINTS = 100;

/**
 * Collects what a page complains of: uncaught errors, rejected promises and errors on the console.
 * The array grows as they come; tests assert that it is empty.
 */
export const complaintsOf = (page: Page): readonly string[] => {
  const complaints: string[] = [];
  const note = (complaint: string): void => {
    if (complaints.length < MOST_COMPLAINTS) complaints.push(complaint);
  };
  page.on('pageerror', (error) => note(`uncaught: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('crash', () => note('the page crashed'));
  return complaints;
};
