CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- A person's phone or mailbox, or a public timeline: one row for each address that anything was sent to or came from.
CREATE TABLE IF NOT EXISTS boxes (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    fate TEXT NOT NULL,
    accepted INTEGER NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0,
    last_at REAL NOT NULL DEFAULT 0,
    last_words TEXT NOT NULL DEFAULT '',
    UNIQUE (channel, address)
);
CREATE INDEX IF NOT EXISTS boxes_latest ON boxes (last_at, id);

-- What one request said to many people.
CREATE TABLE IF NOT EXISTS contents (
    id INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    subject TEXT NOT NULL,
    plain TEXT NOT NULL,
    html TEXT NOT NULL,
    headers TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    box_id INTEGER NOT NULL,
    direction TEXT NOT NULL,
    at REAL NOT NULL,
    settles_at REAL NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    other TEXT NOT NULL DEFAULT '',       -- the sender of what we accepted; the recipient of an answer
    body TEXT NOT NULL DEFAULT '',
    callback TEXT NOT NULL DEFAULT '',
    content_id INTEGER,
    details TEXT NOT NULL DEFAULT '{}',
    delivery_key TEXT NOT NULL DEFAULT '',
    duplicate INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_box ON messages (box_id, id);
CREATE INDEX IF NOT EXISTS messages_key ON messages (channel, delivery_key);
CREATE INDEX IF NOT EXISTS messages_answers ON messages (other) WHERE direction = 'in';

-- What the providers still have to tell the hub.
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an id is never given twice: an answer may come after a reset
    kind TEXT NOT NULL,
    due REAL NOT NULL,
    message_id INTEGER NOT NULL,
    event TEXT NOT NULL,
    at REAL NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    taken INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (kind, taken, due);

-- The posts that came with an Idempotency-Key.
CREATE TABLE IF NOT EXISTS idempotency (
    name TEXT PRIMARY KEY,
    at REAL NOT NULL,
    message_id INTEGER NOT NULL
) WITHOUT ROWID;

-- Addresses to which a provider refuses to send: bounces, spam reports, STOP by text.
CREATE TABLE IF NOT EXISTS suppressions (
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (address, kind)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS decided_fates (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    fate TEXT NOT NULL,
    PRIMARY KEY (channel, address)
) WITHOUT ROWID;
