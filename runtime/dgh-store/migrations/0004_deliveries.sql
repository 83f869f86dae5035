-- Webhooks: what is delivered about calls, to whom, and how that goes.
--
--   deliveries ──► endpoints
--       ▲
--   delivery_attempts            signing_secrets
--
-- A delivery is `pending` until it is `delivered` or `dead`; `parked` while something is missing
-- that somebody has to set up; `simulated` when it is of a test call.

-- Where the deliveries of one webhook go.
CREATE TABLE endpoints (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    webhook TEXT NOT NULL,
    -- Scheme, host and port.
    origin TEXT NOT NULL,
    -- Nothing is sent until somebody enables it again.
    disabled_at BIGINT,
    disabled_why TEXT,
    -- The circuit breaker: failures in a row, how often it tripped since it last worked, and until
    -- when nothing is sent.
    failures BIGINT NOT NULL DEFAULT 0,
    trips BIGINT NOT NULL DEFAULT 0,
    blocked_until BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    failed_at BIGINT,
    delivered_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, agent, webhook, origin)
);

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id),
    agent TEXT NOT NULL,
    -- Whose secrets are used.
    profile TEXT,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    call_id TEXT,
    -- Told twice, kept once.
    unique_key TEXT NOT NULL,
    -- Deliveries of one lane go one after another, in the order of their ids.
    lane TEXT NOT NULL,
    -- Request and body, sealed; and the body as a record may show it.
    sealed TEXT NOT NULL,
    shown TEXT,
    state TEXT NOT NULL,
    -- `secret:NAME`, `endpoint`.
    parked_for TEXT,
    -- All attempts, and those since it was queued or replayed.
    attempts BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    queued_at BIGINT NOT NULL,
    due_at BIGINT,
    -- Who works on it. The fence grows with every claim: who writes with an old one writes nothing.
    node TEXT,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    status BIGINT,
    error TEXT,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    UNIQUE (org_id, unique_key)
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX deliveries_lane ON deliveries (lane, id) WHERE state IN ('pending', 'parked');
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id) WHERE state IN ('pending', 'parked');
CREATE INDEX deliveries_parked ON deliveries (org_id, profile, parked_for) WHERE state = 'parked';
CREATE INDEX deliveries_newest ON deliveries (org_id, id);
CREATE INDEX deliveries_dead ON deliveries (org_id, id) WHERE state = 'dead';
CREATE INDEX deliveries_call ON deliveries (call_id);
CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL;

-- Attempts that failed. What succeeded stands in the delivery itself.
CREATE TABLE delivery_attempts (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    status BIGINT,
    error TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- What an organisation signs with. Two may be valid at once, while receivers change over.
CREATE TABLE signing_secrets (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    -- Its last letters, to recognise it by.
    ending TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Until when it still signs; none: until another takes its place.
    retires_at BIGINT
);
CREATE INDEX signing_secrets_org ON signing_secrets (org_id, id);
