-- Agents: what they are made of, what was published, in which profiles it runs, what leads to it.
--
--   blobs ◄── bundle_files ──► bundles ◄── agents.draft
--                                 ▲
--                              releases ◄── traffic (agent, profile) ◄── routes (number, trigger)

-- Contents of files, by what they are.
CREATE TABLE blobs (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    content BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, sha256)
);

-- A manifest, by the SHA-256 of its paths and contents. It never changes.
CREATE TABLE bundles (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, hash)
);

CREATE TABLE bundle_files (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    bundle TEXT NOT NULL,
    path TEXT NOT NULL,
    blob TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (org_id, bundle, path),
    FOREIGN KEY (org_id, bundle) REFERENCES bundles (org_id, hash) ON DELETE CASCADE,
    FOREIGN KEY (org_id, blob) REFERENCES blobs (org_id, sha256)
);
CREATE INDEX bundle_files_blob ON bundle_files (org_id, blob);

CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    -- Its name in addresses.
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Which file is compiled, and which agent of it is meant, where the bundle does not say.
    entry TEXT,
    part TEXT,
    -- The profile in which its own name is answered.
    profile TEXT NOT NULL,
    -- Who writes it: `api`, `folder`, `example`.
    source TEXT NOT NULL,
    draft TEXT NOT NULL,
    draft_by TEXT,
    draft_at BIGINT NOT NULL,
    -- The number of the newest release; 0: there is none.
    releases BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (org_id, slug),
    FOREIGN KEY (org_id, draft) REFERENCES bundles (org_id, hash)
);
CREATE INDEX agents_draft ON agents (org_id, draft);

-- What was published. It never changes.
CREATE TABLE releases (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    number BIGINT NOT NULL,
    bundle TEXT NOT NULL,
    entry TEXT NOT NULL,
    part TEXT NOT NULL,
    -- The compiled program in its wire form, and the SHA-256 of that.
    program BLOB NOT NULL,
    program_hash TEXT NOT NULL,
    compiler TEXT NOT NULL,
    profile TEXT NOT NULL,
    profile_revision BIGINT NOT NULL,
    -- 1: it came from a folder of this machine's operator, who may use its environment.
    trusted BIGINT NOT NULL,
    author TEXT,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (agent_id, number),
    FOREIGN KEY (org_id, bundle) REFERENCES bundles (org_id, hash)
);
CREATE INDEX releases_bundle ON releases (org_id, bundle);

-- Which releases answer for an agent in a profile, each with its share. The shares make 100.
CREATE TABLE traffic (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    profile TEXT NOT NULL,
    release_id TEXT NOT NULL REFERENCES releases (id),
    percent BIGINT NOT NULL,
    PRIMARY KEY (agent_id, profile, release_id)
);

-- What leads to an agent besides its own name. With a release it leads to that one alone, else to
-- what answers in the profile.
CREATE TABLE routes (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    profile TEXT NOT NULL,
    release_id TEXT REFERENCES releases (id),
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, kind, address)
);
CREATE INDEX routes_agent ON routes (agent_id);

CREATE TABLE profiles (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    -- Grows with every secret that is set or removed.
    secrets BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

-- What a profile said in each of its revisions: calls pin one.
CREATE TABLE profile_revisions (
    profile_id TEXT NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    settings TEXT NOT NULL,
    author TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (profile_id, revision)
);

CREATE TABLE secrets (
    profile_id TEXT NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (profile_id, name)
);
