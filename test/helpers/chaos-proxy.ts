/**
 * A bad network between a client and a server, over real sockets: delay, stalls, a thin line, a
 * cut, a black hole. It sits on the client's side of TCP, so nothing is lost, only late.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { NETWORK, type NetworkProfile } from './network-profile.ts';
import { ProxyLane } from './proxy-lane.ts';

/** Both directions of a network; each stalls on its own. */
export type Network = { readonly up: NetworkProfile; readonly down: NetworkProfile };

/** What has gone through the proxy since it began. */
export type ProxyCounts = {
  readonly connections: number;
  /** Connections turned away while cut. */
  readonly refused: number;
  readonly open: number;
  /** Bytes delivered to the server and to the clients. */
  readonly up: number;
  readonly down: number;
  /** Pieces that a stall held, both ways. */
  readonly held: number;
};

type Pair = {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly up: ProxyLane;
  readonly down: ProxyLane;
};

/** Names a network that is the same both ways. */
export const bothWays = (profile: NetworkProfile): Network => ({ up: profile, down: profile });

/** Made with `startChaosProxy`. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #seed: number;
  readonly #pairs = new Set<Pair>();
  #network: Network;
  #state: 'open' | 'cut' | 'blackhole' = 'open';
  #past = { connections: 0, refused: 0, up: 0, down: 0, held: 0 };

  constructor(server: Server, target: number, network: Network, seed: number) {
    this.#server = server;
    this.#target = target;
    this.#network = network;
    this.#seed = seed;
    server.on('connection', (client) => this.#admit(client));
  }

  /** Port on 127.0.0.1 for the client. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get counts(): ProxyCounts {
    const counts = { ...this.#past, open: this.#pairs.size };
    for (const { up, down } of this.#pairs) {
      counts.up += up.delivered;
      counts.down += down.delivered;
      counts.held += up.held + down.held;
    }
    return counts;
  }

  /** Changes the network for connections old and new. */
  shape(network: Network): void {
    this.#network = network;
    for (const { up, down } of this.#pairs) {
      up.shape(network.up);
      down.shape(network.down);
    }
  }

  /** Resets every connection, and each new one at once, until `restore`. */
  cut(): void {
    this.#state = 'cut';
    for (const pair of this.#pairs) this.#drop(pair);
  }

  /**
   * Keeps connections open, accepts new ones, and delivers nothing until `restore`, as when a cable
   * is pulled somewhere: nobody is told.
   */
  blackhole(): void {
    this.#state = 'blackhole';
    for (const { up, down } of this.#pairs) {
      up.shut();
      down.shut();
    }
  }

  /** Ends a cut or a black hole; what waited in a black hole arrives. */
  restore(): void {
    this.#state = 'open';
    for (const { up, down } of this.#pairs) {
      up.open();
      down.open();
    }
  }

  /** Resets every connection and gives the port back. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const pair of this.#pairs) this.#drop(pair);
    await closed;
  }

  #admit(client: Socket): void {
    if (this.#state === 'cut') {
      this.#past.refused += 1;
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const seed = this.#seed + 2 * this.#past.connections;
    const shut = this.#state === 'blackhole';
    const pair: Pair = {
      client,
      upstream,
      up: new ProxyLane(client, upstream, { profile: this.#network.up, seed, shut }),
      down: new ProxyLane(upstream, client, { profile: this.#network.down, seed: seed + 1, shut }),
    };
    this.#past.connections += 1;
    this.#pairs.add(pair);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      // A reset on one side is one on the other; what is under way is lost with it.
      socket.on('error', () => this.#drop(pair));
      socket.on('close', () => {
        if (client.closed && upstream.closed) this.#forget(pair);
      });
    }
  }

  #drop(pair: Pair): void {
    pair.client.resetAndDestroy();
    pair.upstream.resetAndDestroy();
    this.#forget(pair);
  }

  #forget(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    this.#past.up += pair.up.delivered;
    this.#past.down += pair.down.delivered;
    this.#past.held += pair.up.held + pair.down.held;
    pair.up.dispose();
    pair.down.dispose();
  }
}

/**
 * Starts a proxy on a free port of 127.0.0.1 to the server on `target`. The seed decides every
 * stall: connection n has the same ones in every run.
 */
export const startChaosProxy = async (
  target: number,
  { network = bothWays(NETWORK.direct), seed = 1 }: { network?: Network; seed?: number } = {},
): Promise<ChaosProxy> => {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new ChaosProxy(server, target, network, seed);
};
