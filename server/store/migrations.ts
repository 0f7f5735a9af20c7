/** The database's shape, as the steps that led to it; step N brings `user_version` to N + 1. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE channels (
     slug TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     epoch INTEGER NOT NULL DEFAULT -1,
     clock TEXT
   ) STRICT;
   INSERT INTO channels (slug, title) VALUES ('live', 'Live');`,

  // Settings as one JSON object: they are read and written whole, and nothing is looked up by them.
  `ALTER TABLE channels ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE channels ADD COLUMN track INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE channels ADD COLUMN stretches INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE channels ADD COLUMN secret TEXT;
   CREATE TABLE broadcasts (
     id TEXT PRIMARY KEY,
     channel TEXT NOT NULL REFERENCES channels (slug) ON DELETE CASCADE,
     started INTEGER NOT NULL,
     ended INTEGER
   ) STRICT;
   CREATE INDEX broadcasts_by_channel ON broadcasts (channel, started);
   CREATE TABLE epochs (
     channel TEXT NOT NULL REFERENCES channels (slug) ON DELETE CASCADE,
     epoch INTEGER NOT NULL,
     broadcast TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
     PRIMARY KEY (channel, epoch)
   ) STRICT;`,

  // A recording is of a broadcast and has its id. Clock maps next to both ends of each epoch, and
  // the last sequence where the publisher has said it; titles by their place on the media clock.
  `CREATE TABLE recordings (
     id TEXT PRIMARY KEY REFERENCES broadcasts (id) ON DELETE CASCADE,
     channel TEXT NOT NULL REFERENCES channels (slug) ON DELETE CASCADE,
     started INTEGER NOT NULL,
     title TEXT NOT NULL,
     duration INTEGER NOT NULL DEFAULT 0,
     bytes INTEGER NOT NULL DEFAULT 0,
     gaps INTEGER NOT NULL DEFAULT 0,
     complete INTEGER NOT NULL DEFAULT 0,
     final INTEGER NOT NULL DEFAULT 0,
     loudness REAL,
     copied INTEGER
   ) STRICT;
   CREATE INDEX recordings_by_channel ON recordings (channel, started);
   CREATE TABLE recording_epochs (
     recording TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
     epoch INTEGER NOT NULL,
     first TEXT,
     last TEXT,
     until INTEGER,
     PRIMARY KEY (recording, epoch)
   ) STRICT;
   CREATE TABLE titles (
     recording TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
     epoch INTEGER NOT NULL,
     timestamp INTEGER NOT NULL,
     name TEXT NOT NULL
   ) STRICT;
   CREATE INDEX titles_by_recording ON titles (recording);`,

  // The machine's run in which the service ran last, and whether it ended in order.
  `CREATE TABLE life (boot TEXT NOT NULL, orderly INTEGER NOT NULL) STRICT;`,
];
