-- Internal. Counts one use for a subject, or says in `p_wait_seconds` how long it is until the next is allowed: behind
-- `p_free` uses of a window each one doubles the pause before the next, and behind `p_limit` there is none until its end.
-- `p_next_seconds`: the pause behind this one.
CREATE PROCEDURE count_use(
    IN p_subject_hash BINARY(32),
    IN p_limit INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED,
    IN p_free INT UNSIGNED,
    IN p_pause_seconds INT UNSIGNED,
    IN p_now DATETIME(6),
    OUT p_wait_seconds INT UNSIGNED,
    OUT p_next_seconds INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_uses INT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_end, v_free_at DATETIME(6) DEFAULT NULL;

    -- the row is the mutex: a thousand at once are counted one behind the other
    INSERT INTO quotas (subject_hash, uses, last_at, window_ends_at)
    VALUES (p_subject_hash, 0, p_now, p_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE subject_hash = p_subject_hash;
    SELECT IF(window_ends_at <= p_now, 0, uses), last_at,
           IF(window_ends_at <= p_now, p_now + INTERVAL p_window_seconds SECOND, window_ends_at)
    INTO v_uses, v_last, v_end FROM quotas WHERE subject_hash = p_subject_hash FOR UPDATE;

    SET p_wait_seconds = NULL;
    SET v_free_at = CASE
        WHEN v_uses >= p_limit THEN v_end
        WHEN v_uses >= p_free THEN LEAST(v_end, v_last + INTERVAL p_pause_seconds * (1 << LEAST(v_uses - p_free, 16)) SECOND)
        ELSE p_now END;
    IF v_free_at > p_now THEN
        SET p_wait_seconds = TIMESTAMPDIFF(SECOND, p_now, v_free_at) + 1;
    ELSE
        UPDATE quotas SET uses = v_uses + 1, last_at = p_now, window_ends_at = v_end WHERE subject_hash = p_subject_hash;
        SET p_next_seconds = CASE
            WHEN v_uses + 1 >= p_limit THEN TIMESTAMPDIFF(SECOND, p_now, v_end) + 1
            WHEN v_uses + 1 >= p_free THEN p_pause_seconds * (1 << LEAST(v_uses + 1 - p_free, 16))
            ELSE 0 END;
    END IF;
END
