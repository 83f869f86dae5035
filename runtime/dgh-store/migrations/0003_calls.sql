-- Calls, whoever made them and however they are reached: one table, one state machine.
--
--   created ──► connecting ──► live ──► ended
--      └─► dialing ──► ringing ──┘
--
-- Agents, releases and profiles are named and not referenced: a call outlives them.

-- Processes that own calls. A call's lease is that of its node: one heartbeat for all of them.
CREATE TABLE call_nodes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- What the nodes share: the key that opens the logs of calls, sealed. That of the node which was first.
CREATE TABLE call_keys (
    name TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row for each organisation that ever had a call. Who begins a call writes it first, so that
-- two do not count the same free place.
CREATE TABLE call_gates (
    org_id TEXT PRIMARY KEY,
    max_calls BIGINT,
    turns BIGINT NOT NULL DEFAULT 0
);

-- Limits below that of the organisation: `agent` by its name, `campaign` by its id.
CREATE TABLE call_limits (
    org_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    max_calls BIGINT NOT NULL,
    PRIMARY KEY (org_id, scope, name)
);

CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    -- What it runs, pinned when it was created. `version` is `published`, `draft` or `folder`.
    agent TEXT NOT NULL,
    version TEXT NOT NULL,
    release TEXT,
    profile TEXT,
    profile_revision BIGINT,
    program TEXT NOT NULL,
    direction TEXT NOT NULL,
    channel TEXT NOT NULL,
    line TEXT NOT NULL,
    test BIGINT NOT NULL DEFAULT 0,
    campaign TEXT,
    caller TEXT,
    called TEXT,
    -- Inputs as they were given, sealed: who takes the call later needs them.
    inputs TEXT,
    state TEXT NOT NULL,
    -- Who owns it. The fence grows with every owner; who writes with an old one writes nothing.
    node TEXT,
    fence BIGINT NOT NULL DEFAULT 0,
    -- Without an owner: by when somebody must have taken it.
    due_at BIGINT,
    -- SHA-256 of the word that admits its sound, once.
    ticket TEXT UNIQUE,
    ticket_until BIGINT,
    -- The carrier's name of the call.
    carrier_call TEXT,
    created_at BIGINT NOT NULL,
    ringing_at BIGINT,
    live_at BIGINT,
    ended_at BIGINT,
    duration_ms BIGINT,
    outcome TEXT,
    ended_by TEXT,
    why TEXT,
    answered_by TEXT,
    language TEXT,
    at_node TEXT,
    turns BIGINT NOT NULL DEFAULT 0,
    micro_usd BIGINT,
    -- Views of the log when it ended, masked: median times of a turn, and what went wrong.
    timings TEXT,
    troubles BIGINT NOT NULL DEFAULT 0,
    UNIQUE (org_id, line, carrier_call)
);
CREATE INDEX calls_newest ON calls (org_id, created_at, id);
CREATE INDEX calls_of_agent ON calls (org_id, agent, created_at, id);
CREATE INDEX calls_going ON calls (org_id, agent) WHERE state <> 'ended';
CREATE INDEX calls_of_node ON calls (node) WHERE state <> 'ended';
CREATE INDEX calls_due ON calls (due_at) WHERE state <> 'ended' AND node IS NULL;

-- What was learned, as a record may show it.
CREATE TABLE call_values (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    shown TEXT NOT NULL,
    PRIMARY KEY (call_id, name)
);
CREATE INDEX call_values_shown ON call_values (org_id, name, shown);

CREATE TABLE call_tags (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (call_id, tag)
);
CREATE INDEX call_tags_tag ON call_tags (org_id, tag);

-- What providers did for a call. `micro_usd` is unknown where a price is.
CREATE TABLE call_usage (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    part TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    millis BIGINT NOT NULL,
    micro_usd BIGINT,
    PRIMARY KEY (call_id, part, provider, model)
);

-- The sealed log while the call goes on: what another node needs when this one dies. It goes into
-- an artifact when the call has ended.
CREATE TABLE call_log (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (call_id, number)
);

-- What happens to a call elsewhere: commands, callbacks of carriers. Written before whoever tells
-- it is answered; taken by the node that owns the call.
CREATE TABLE call_inbox (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    -- Sealed: it may hold what somebody says. Forgotten when the call has ended.
    payload TEXT,
    -- The carrier's name of the event, or the key of a request: told twice, done once.
    external TEXT,
    by_whom TEXT,
    created_at BIGINT NOT NULL,
    taken_at BIGINT,
    done TEXT,
    UNIQUE (call_id, external)
);
CREATE INDEX call_inbox_waits ON call_inbox (call_id, created_at) WHERE taken_at IS NULL;
CREATE INDEX call_inbox_sealed ON call_inbox (call_id) WHERE payload IS NOT NULL;

-- Files of a call. `spool` names the folder of the node that has a file which is not stored yet.
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BIGINT,
    state TEXT NOT NULL,
    spool TEXT,
    created_at BIGINT NOT NULL,
    delete_at BIGINT,
    UNIQUE (call_id, kind)
);
CREATE INDEX artifacts_spooled ON artifacts (spool) WHERE state = 'spooled';
CREATE INDEX artifacts_due ON artifacts (delete_at) WHERE state <> 'deleted';

-- Links that anybody may open until they are taken back.
CREATE TABLE artifact_links (
    token TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    artifact_id TEXT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    revoked_at BIGINT
);
CREATE INDEX artifact_links_artifact ON artifact_links (artifact_id);

-- How many days files are kept. An agent's own row goes before that of the organisation, whose
-- agent is empty.
CREATE TABLE retention (
    org_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    kind TEXT NOT NULL,
    days BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent, kind)
);
