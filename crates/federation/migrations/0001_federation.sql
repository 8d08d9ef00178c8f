-- One row a peer: where the letters to it and from it stand. `out_digest` and `in_digest` are those of the last letter
-- each way, to which the next one is chained. A stream is a row of numbers from 1; a side that lost its memory of the
-- other's begins a new one. `receipted` is up to which of its letters our receipts are known to have
-- reached it. Retention: as long as the peer is one; removed with its exchange.
CREATE TABLE federation_links (
  peer TEXT PRIMARY KEY,
  queued BIGINT NOT NULL,
  out_stream TEXT NOT NULL,
  out_seq BIGINT NOT NULL,
  out_digest TEXT NOT NULL,
  in_stream TEXT NOT NULL,
  in_seq BIGINT NOT NULL,
  in_digest TEXT NOT NULL,
  receipted BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  last_refusal TEXT,
  last_try BIGINT,
  last_contact BIGINT,
  last_error TEXT,
  recorded_at BIGINT NOT NULL
);

-- Letters to peers in the order they were posted. `seq`, `digest` and `wire` (the signed text) come when a letter is
-- sealed, which is when it is first about to be sent: what is cancelled before leaves no gap. `state`: queued, sealed,
-- taken, refused, cancelled. Retention: texts of settled letters for 30 days, the rows for good (keys are posted once).
CREATE TABLE federation_letters (
  place INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  peer TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  seq BIGINT,
  digest TEXT,
  wire TEXT,
  recorded_at BIGINT NOT NULL,
  settled_at BIGINT,
  UNIQUE (peer, key)
);
CREATE INDEX federation_letters_state ON federation_letters (peer, state, place);
CREATE INDEX federation_letters_seq ON federation_letters (peer, seq);

-- Letters from peers that were answered, with the signed receipt that is given again when a letter comes again. `id` is
-- the letter's: in whatever stream it comes, it takes effect once. Retention: kept.
CREATE TABLE federation_taken (
  peer TEXT NOT NULL,
  stream TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT,
  receipt TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (peer, stream, seq)
);
CREATE INDEX federation_taken_id ON federation_taken (peer, id);

-- Decisions to hand objects on. `kind`: person, standing, onward. `salt` blinds the path of what begins here.
CREATE TABLE federation_shares (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  made_by TEXT NOT NULL,
  note TEXT NOT NULL,
  salt TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- One row for each recipient and object of a share. `version` and `tlp` are those last sent,
-- `held` is the version whose receipt was verified; `because` is the peer
-- through whom this node has the object; `letter` carries it. `state`: withheld, queued, sent, received, refused,
-- cancelled, retracting, retracted. Retention: kept, it is the proof of who got what.
CREATE TABLE federation_hands (
  hand INTEGER PRIMARY KEY,
  share TEXT NOT NULL,
  peer TEXT NOT NULL,
  object TEXT NOT NULL,
  community TEXT,
  because TEXT,
  state TEXT NOT NULL,
  reason TEXT,
  version BIGINT,
  held BIGINT,
  tlp BIGINT NOT NULL,
  letter TEXT,
  changed_at BIGINT NOT NULL,
  UNIQUE (share, peer, object)
);
CREATE INDEX federation_hands_object ON federation_hands (object, peer);
CREATE INDEX federation_hands_letter ON federation_hands (letter);
CREATE INDEX federation_hands_peer ON federation_hands (peer, state);

-- What peers brought: one row for each peer and object. `outcome`: kept, beside, refused, withdrawn. `trail` is the blinded
-- path it came (JSON). Retention: kept, retractions need it.
CREATE TABLE federation_received (
  place INTEGER PRIMARY KEY,
  peer TEXT NOT NULL,
  object TEXT NOT NULL,
  version BIGINT NOT NULL,
  tlp BIGINT NOT NULL,
  share TEXT NOT NULL,
  community TEXT,
  trail TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT,
  recorded_at BIGINT NOT NULL,
  UNIQUE (peer, object)
);
CREATE INDEX federation_received_object ON federation_received (object);

-- What came through a community that this node leads and goes on to its other members. Retention: removed when done.
CREATE TABLE federation_onward (
  place INTEGER PRIMARY KEY,
  object TEXT NOT NULL,
  peer TEXT NOT NULL,
  community TEXT NOT NULL
);

-- Words taken back. `peer` and `theirs` say whose retraction is passed on. Retention: kept.
CREATE TABLE federation_retractions (
  id TEXT PRIMARY KEY,
  made_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  peer TEXT,
  theirs TEXT,
  recorded_at BIGINT NOT NULL
);

-- One row for each recipient and object of a retraction. `state`: waiting, acknowledged, refused, cancelled.
CREATE TABLE federation_withdrawals (
  retraction TEXT NOT NULL,
  peer TEXT NOT NULL,
  object TEXT NOT NULL,
  tlp BIGINT NOT NULL,
  state TEXT NOT NULL,
  letter TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (retraction, peer, object)
);
CREATE INDEX federation_withdrawals_letter ON federation_withdrawals (letter);

-- What recipients tell of those they passed a retraction on to: counts, never names.
CREATE TABLE federation_progress (
  retraction TEXT NOT NULL,
  peer TEXT NOT NULL,
  reached BIGINT NOT NULL,
  acknowledged BIGINT NOT NULL,
  PRIMARY KEY (retraction, peer)
);

-- Standing shares: what arrives and fits is shared by itself.
CREATE TABLE federation_standing (
  id TEXT PRIMARY KEY,
  made_by TEXT NOT NULL,
  rule TEXT NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- Up to which version of the store updates and standing shares were looked after; `recorded_at` is of that version.
CREATE TABLE federation_cursor (
  one BIGINT PRIMARY KEY,
  seq BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);
