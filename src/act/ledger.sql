-- The ledger. Made on first use, under an advisory lock, in one transaction.
CREATE SCHEMA IF NOT EXISTS sluice;

CREATE TABLE IF NOT EXISTS sluice.home (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	version integer NOT NULL,
	target text NOT NULL,
	system text NOT NULL,
	database text NOT NULL,
	since timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS sluice.lease (
	target text PRIMARY KEY,
	serial bigint NOT NULL,
	who text NOT NULL,
	host text NOT NULL,
	pid integer NOT NULL,
	backend integer NOT NULL,
	since timestamptz NOT NULL DEFAULT now(),
	why text NOT NULL
);

CREATE TABLE IF NOT EXISTS sluice.release (
	target text NOT NULL,
	id text NOT NULL,
	commit text NOT NULL,
	status text NOT NULL
	    CHECK (status IN ('staged', 'live', 'old', 'failed')),
	who text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (target, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS release_live
    ON sluice.release (target) WHERE status = 'live';

-- A file's text once, however many releases hold it.
CREATE TABLE IF NOT EXISTS sluice.source (
	digest text PRIMARY KEY,
	text bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS sluice.release_file (
	target text NOT NULL,
	release text NOT NULL,
	path text NOT NULL,
	digest text NOT NULL REFERENCES sluice.source,
	PRIMARY KEY (target, release, path),
	FOREIGN KEY (target, release) REFERENCES sluice.release
	    ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS sluice.run (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	target text NOT NULL,
	kind text NOT NULL CHECK (kind IN
	    ('stage', 'deploy', 'rollback', 'migrate')),
	"from" text NOT NULL,
	"to" text NOT NULL,
	status text NOT NULL CHECK (status IN
	    ('running', 'soaking', 'done', 'failed', 'held', 'back')),
	who text NOT NULL,
	why text NOT NULL,
	digest text NOT NULL,
	serial bigint NOT NULL,
	started timestamptz NOT NULL DEFAULT now(),
	ended timestamptz
);
-- Since version 2.
ALTER TABLE sluice.run ADD COLUMN IF NOT EXISTS goal text NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS run_target ON sluice.run (target, id);

CREATE TABLE IF NOT EXISTS sluice.step (
	run bigint NOT NULL REFERENCES sluice.run ON DELETE CASCADE,
	seq integer NOT NULL,
	wave integer NOT NULL,
	lane text NOT NULL,
	kind text NOT NULL,
	subject text NOT NULL,
	want text NOT NULL,
	phase text NOT NULL,
	status text NOT NULL CHECK (status IN
	    ('todo', 'doing', 'done', 'failed', 'dropped')),
	note text,
	began timestamptz,
	ended timestamptz,
	PRIMARY KEY (run, seq)
);

-- The oldest release that the schema admits.
CREATE TABLE IF NOT EXISTS sluice.floor (
	target text PRIMARY KEY,
	release text NOT NULL,
	since timestamptz NOT NULL DEFAULT now()
);
