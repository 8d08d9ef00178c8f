-- Why the leader did not let us in; empty while it has not refused.
ALTER TABLE communities_communities ADD COLUMN refusal TEXT NOT NULL DEFAULT '';
-- When an invitation was taken back before it was used.
ALTER TABLE communities_invitations ADD COLUMN withdrawn_at BIGINT;
