-- Documents of agents, cut into passages. By their content: a file that did not change is cut once,
-- and a release searches what it was published with.
--
--   knowledge_sources (of a release) ──► documents ◄── passages

CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    -- Of its content.
    sha256 TEXT NOT NULL,
    -- pdf, docx, html, markdown, csv, text
    format TEXT NOT NULL,
    -- The language that its words were read in.
    language TEXT NOT NULL,
    -- Which version of the cutting.
    cutter BIGINT NOT NULL,
    passages BIGINT NOT NULL,
    -- Words of all passages.
    words BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, sha256, format, language, cutter)
);

CREATE TABLE passages (
-- only sqlite
    n INTEGER PRIMARY KEY,
-- end
-- only postgres
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
-- end
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- page 3, Opening hours > Holidays, rows 2–9
    place TEXT NOT NULL,
    text TEXT NOT NULL,
    -- The words that it is found by, with spaces between them; the first names the document, so that
    -- a search meets only the documents that it is for.
    terms TEXT NOT NULL,
    UNIQUE (document_id, number)
);

-- only sqlite
CREATE VIRTUAL TABLE passage_terms USING fts5(
    terms, content = 'passages', content_rowid = 'n', tokenize = "unicode61 remove_diacritics 0 tokenchars '_'"
);
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO passage_terms (rowid, terms) VALUES (new.n, new.terms);
END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passage_terms (passage_terms, rowid, terms) VALUES ('delete', old.n, old.terms);
END;
-- end
-- only postgres
CREATE INDEX passages_terms ON passages USING GIN (array_to_tsvector(string_to_array(terms, ' ')));
-- end

-- What the knowledge of a release is made of. A page of the web may be read again; a file is what it was.
CREATE TABLE knowledge_sources (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    release_id TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    -- Its name in the program; a second one of the same name has `~2` behind it.
    knowledge TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- `file` or `url`
    kind TEXT NOT NULL,
    -- The path or the address.
    source TEXT NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id),
    indexed_at BIGINT NOT NULL,
    PRIMARY KEY (release_id, knowledge, source)
);
CREATE INDEX knowledge_sources_document ON knowledge_sources (document_id);
