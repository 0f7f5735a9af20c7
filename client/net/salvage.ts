/**
 * A studio that is not on the air, and what earlier broadcasts left in this browser: says what it is,
 * and brings it to the server when somebody asks for it.
 */
import type { NetworkCommand, SpoolEvent } from './messages.ts';
import { type Platform, PlatformScope } from './platform.ts';
import { claimName, SpoolDesk } from './spool-desk.ts';

const LOOK_EVERY = 500;
/** Another tab that is on the air still writes; it is asked again so often, ms. */
const ASK_EVERY = 5000;

/** The salvage of one channel. */
export class Salvage {
  /** What was left. */
  readonly desk: SpoolDesk;
  readonly #command: Extract<NetworkCommand, { type: 'salvage' }>;
  readonly #platform: Platform;
  readonly #scope: PlatformScope;

  constructor(
    command: Extract<NetworkCommand, { type: 'salvage' }>,
    options: { readonly post: (event: SpoolEvent) => void; readonly platform: Platform },
  ) {
    const { platform, post } = options;
    this.#command = command;
    this.#platform = platform;
    this.#scope = new PlatformScope(platform);
    this.desk = new SpoolDesk(command, {
      calm: () => true,
      platform: {
        ...platform,
        openFolder: async (name) => {
          await this.#othersAreOff();
          return platform.openFolder(name);
        },
      },
      post,
    });
  }

  /** Looks for what was left. */
  start(): void {
    this.#scope.every(LOOK_EVERY, () => this.desk.look());
  }

  /** Nothing here waits for the network's return but the next try, which comes soon enough. */
  hurry(): void {}

  leave(): void {
    this.#scope.dispose();
    this.desk.upload.dispose();
  }

  /** Resolves when no tab of this browser is on the air, whose spool is its own business. */
  async #othersAreOff(): Promise<void> {
    const name = claimName(this.#command);
    for (;;) {
      const release = await this.#platform.claim(name, { steal: false });
      release?.();
      if (release !== null) return;
      await new Promise<void>((resolve) => this.#scope.after(ASK_EVERY, resolve));
    }
  }
}
