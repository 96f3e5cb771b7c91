-- Internal. Uses a proof up for `p_used_for`, inside the caller's atomic block: the phone that it proves, or NULL if there is
-- no such proof, no longer, or for another purpose. Of the same use again it proves the same.
CREATE PROCEDURE use_phone_proof(
    IN p_proof_hash BINARY(32),
    IN p_purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_used_for BINARY(16),
    OUT p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    SELECT id, phone INTO v_id, v_phone FROM phone_proofs
    WHERE proof_hash = p_proof_hash AND purpose = p_purpose
      AND (used_for = p_used_for OR used_for IS NULL AND proof_expires_at > UTC_TIMESTAMP(6)) FOR UPDATE;
    UPDATE phone_proofs SET used_for = p_used_for WHERE id = v_id;
    SET p_phone = v_phone;
END
