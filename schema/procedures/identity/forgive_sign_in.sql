-- A sign-in that succeeded wipes the count of its phone and address together, and takes its own attempt back from the others
-- that had counted it; NULL for one that had not.
CREATE PROCEDURE forgive_sign_in(IN p_pair_hash BINARY(32), IN p_phone_hash BINARY(32), IN p_address_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quotas WHERE subject_hash = p_pair_hash;
    UPDATE quotas SET uses = uses - 1 WHERE subject_hash IN (p_phone_hash, p_address_hash) AND uses > 0;
    SELECT 'done' AS outcome, NULL AS result;
END
