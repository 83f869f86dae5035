-- What belongs to the installation and to no organisation.

-- One row: which installation this is.
CREATE TABLE instance (
    one BIGINT PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The keys that rows are sealed with, by their fingerprints. A process that lacks one which is not
-- retired must not start: it could open nothing, and would seal new rows with a key nobody else has.
CREATE TABLE vault_keys (
    id TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
