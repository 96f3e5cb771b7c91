-- Layer 1, identity: who. Nothing here knows about money.
-- Every statement of every file here can be run again: a run that died half way is finished by the next one.

CREATE TABLE IF NOT EXISTS users (
    id            BINARY(16)   NOT NULL,
    phone         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name          VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    email         VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    kind          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    password_hash VARBINARY(60) NOT NULL,
    created_at    DATETIME(6)  NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_phone_is_unique UNIQUE (phone),
    CONSTRAINT users_kind_is_known CHECK (kind IN ('personal', 'merchant'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One login: its refresh tokens follow each other, and end together. The row is what their users queue on.
CREATE TABLE IF NOT EXISTS refresh_families (
    id         BINARY(16)  NOT NULL,
    user_id    BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    CONSTRAINT refresh_families_pk PRIMARY KEY (id),
    CONSTRAINT refresh_families_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A refresh token is stored as its SHA-256 only, and used once: its successor is in the same family.
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token_hash BINARY(32)  NOT NULL,
    family_id  BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at    DATETIME(6) NULL,
    CONSTRAINT refresh_tokens_pk PRIMARY KEY (token_hash),
    CONSTRAINT refresh_tokens_family_exists FOREIGN KEY (family_id) REFERENCES refresh_families (id),
    INDEX refresh_tokens_by_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row per phone and per address that somebody tried to log in with (hashed: nobody's list of phones).
CREATE TABLE IF NOT EXISTS login_attempts (
    subject_hash   BINARY(32)   NOT NULL,
    attempts       INT UNSIGNED NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT login_attempts_pk PRIMARY KEY (subject_hash),
    INDEX login_attempts_by_end (window_ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
