-- Hand-overs of the leadership so far, as JSON, and one that is on its way (made here, or made to us); empty for none.
ALTER TABLE communities_communities ADD COLUMN chain TEXT NOT NULL DEFAULT '[]';
ALTER TABLE communities_communities ADD COLUMN offer TEXT NOT NULL DEFAULT '';
