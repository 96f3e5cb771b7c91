-- `note_agreeing_payout` (0015) took its place: it believes only a payout of what was asked for.
DROP PROCEDURE IF EXISTS note_payout;
