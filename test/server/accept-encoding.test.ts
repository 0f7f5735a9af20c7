import { describe, expect, it } from 'vitest';
import { chooseEncoding } from '../../server/routes/accept-encoding.ts';

describe('Accept-Encoding', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP;Q=0.8, BR;Q=0.8', 'br'],
    ['gzip;q=1.0, br;q=0.9', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br ; q=0.000 , gzip ; q=0.001', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['identity', 'identity'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['gzip, *;q=0', 'gzip'],
    ['deflate', 'identity'],
    // Who refuses all that there is gets it as it is (RFC 9110 section 12.4.1).
    ['identity;q=0', 'identity'],
    ['*;q=0', 'identity'],
    // A weight that is none refuses rather than accepts.
    ['br;q=2, gzip', 'gzip'],
    ['br;q=, gzip;q=0.1', 'gzip'],
    ['br;level=4, gzip', 'gzip'],
    [', ,;q=1,,gzip', 'gzip'],
    [`${'deflate,'.repeat(2000)}br`, 'identity'],
  ])('%s is answered with %s', (header, encoding) => {
    expect(chooseEncoding(header)).toBe(encoding);
  });
});
