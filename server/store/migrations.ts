/** The database's shape, as the steps that led to it; step N brings `user_version` to N + 1. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE channels (
     slug TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     epoch INTEGER NOT NULL DEFAULT -1,
     clock TEXT
   ) STRICT;
   INSERT INTO channels (slug, title) VALUES ('live', 'Live');`,
];
