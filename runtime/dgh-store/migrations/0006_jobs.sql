-- Work that is done later, by any node.
--
-- A job is `pending` until it is `done` or `dead`. It is claimed like a delivery: with a lease, and a
-- fence that grows with every claim.

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    -- Who does it.
    kind TEXT NOT NULL,
    -- What it is about: an id.
    subject TEXT NOT NULL,
    -- Asked for twice, done once.
    unique_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    queued_at BIGINT NOT NULL,
    due_at BIGINT,
    node TEXT,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    UNIQUE (org_id, unique_key)
);
CREATE INDEX jobs_due ON jobs (due_at) WHERE state = 'pending';
CREATE INDEX jobs_subject ON jobs (org_id, subject);
CREATE INDEX jobs_done ON jobs (done_at) WHERE done_at IS NOT NULL;
