/** The admin token: given by configuration, or made once and kept in the data folder. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the token of a data folder, which is generated (mode 0600) where there is none. */
export const adminToken = (folder: string): string => {
  const path = join(folder, 'admin-token');
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') return kept;
  }
  mkdirSync(folder, { recursive: true });
  const token = randomBytes(24).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
};

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Compares two secrets in a time that says nothing about either. */
export const sameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(digest(one), digest(other));
