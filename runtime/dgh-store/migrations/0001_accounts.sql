-- Who is there, and what they may do.
--
--   users ◄── members ──► orgs ◄── api_keys, invites, audit, idempotency
--     ▲
--   sessions

CREATE TABLE orgs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    -- In lower case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Argon2id, as a PHC string.
    password TEXT NOT NULL,
    password_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    -- SHA-256 of the token in the cookie.
    token TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Whose things it shows.
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- Moves on when it is used; never behind `ends_at`.
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    address TEXT,
    browser TEXT
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    -- SHA-256 of the token in the link.
    token TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    invited_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by TEXT
);
CREATE INDEX invites_org ON invites (org_id, id);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Its first letters, to recognise it by.
    prefix TEXT NOT NULL,
    -- SHA-256 of it.
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    -- Words, with spaces between them; `*`: all.
    scopes TEXT NOT NULL,
    -- The user who made it, or who made the key that made it.
    created_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_org ON api_keys (org_id, id);

-- Every change, by whom. It is written with the change, and never touched again.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- None of both: the server itself.
    user_id TEXT,
    key_id TEXT,
    address TEXT,
    -- `agent.publish`
    action TEXT NOT NULL,
    -- The id of what was changed.
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_org ON audit (org_id, id);
CREATE INDEX audit_subject ON audit (org_id, subject, id);

-- Failed attempts to sign in, by account and by address.
CREATE TABLE throttles (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What was answered to a create, so that a repeated one gets the same answer.
CREATE TABLE idempotency (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    -- SHA-256 of the request.
    request TEXT NOT NULL,
    status BIGINT,
    -- Sealed by the vault: an answer may hold a key that is shown once.
    answer TEXT,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);
