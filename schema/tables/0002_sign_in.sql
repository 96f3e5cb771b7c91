-- Signing in: sessions, codes that were sent to a phone, passkeys, and how often something may be tried.
--
-- Sessions: one row for each sign-in, which access tokens name; and a generation on the wallet's row, which every procedure
-- that acts for somebody compares with the one they come with, under the lock that it takes anyway. To end a session is to
-- raise it: what a thief has in hand moves nothing from that commit on. The other sessions are told 401 once, and refresh.
-- What was asked for in a session that has ended since (a hold, a file's rows, a withdrawal) goes on.
--
-- Phone proofs: a phone is its owner's, who has shown a code that was sent to it. Nobody registers, gets a forgotten password
-- replaced or undoes a freeze of their own without.
--
-- Quotas: whoever is looked up, paid or promised something by phone is named by the answer, so all three have one: a wallet's
-- id can't be guessed, a phone can be counted up. And a file of payments costs us a row for each of its lines, paid or not.

-- `kind`: 'tokens' has refresh tokens that are used once, 'cookie' one secret that stays. `seed` makes a refresh token's
-- successor, so that a repetition gets the very same one though only hashes are stored. A session ends when it is ended,
-- when nobody has used it until `idle_ends_at`, and at `ends_at` in any case.
CREATE TABLE IF NOT EXISTS sessions (
    id           BINARY(16)   NOT NULL,
    user_id      BINARY(16)   NOT NULL,
    kind         VARCHAR(6)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    device       VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    address_hash BINARY(32)   NOT NULL,
    seed         BINARY(32)   NOT NULL,
    created_at   DATETIME(6)  NOT NULL,
    last_used_at DATETIME(6)  NOT NULL,
    idle_ends_at DATETIME(6)  NOT NULL,
    ends_at      DATETIME(6)  NOT NULL,
    ended_at     DATETIME(6)  NULL,
    CONSTRAINT sessions_pk PRIMARY KEY (id),
    CONSTRAINT sessions_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT sessions_kind_is_known CHECK (kind IN ('tokens', 'cookie')),
    INDEX sessions_by_end (ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A refresh token or a cookie's secret, as its SHA-256. Those that were used are kept as long as their session: one that
-- comes back later was copied.
CREATE TABLE IF NOT EXISTS session_tokens (
    token_hash BINARY(32)  NOT NULL,
    session_id BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    used_at    DATETIME(6) NULL,
    CONSTRAINT session_tokens_pk PRIMARY KEY (token_hash),
    CONSTRAINT session_tokens_session_exists FOREIGN KEY (session_id) REFERENCES sessions (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A code that was sent, as a keyed hash, and the proof that it became, as a SHA-256; neither can be read back. `used_for` is
-- what the proof was used up for: the same request again finds its own.
CREATE TABLE IF NOT EXISTS phone_proofs (
    id               BINARY(16)  NOT NULL,
    phone            VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    purpose          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code_hash        BINARY(32)  NOT NULL,
    tries            TINYINT UNSIGNED NOT NULL DEFAULT 0,
    created_at       DATETIME(6) NOT NULL,
    expires_at       DATETIME(6) NOT NULL,
    proof_hash       BINARY(32)  NULL,
    proof_expires_at DATETIME(6) NULL,
    used_for         BINARY(16)  NULL,
    CONSTRAINT phone_proofs_pk PRIMARY KEY (id),
    CONSTRAINT phone_proofs_proof_is_unique UNIQUE (proof_hash),
    CONSTRAINT phone_proofs_purpose_is_one
        CHECK (purpose IN ('register', 'sign_in', 'reset_password', 'unfreeze', 'change_phone', 'passkey_reset')),
    INDEX phone_proofs_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What confirms without a message: a key pair of which we have the public half (WebAuthn, COSE), by the authenticator's own id.
-- `sign_count` grows with each use where an authenticator counts; `name` is what its owner calls it. It confirms from
-- `usable_from` on.
CREATE TABLE IF NOT EXISTS passkeys (
    id            BINARY(16)      NOT NULL,
    user_id       BINARY(16)      NOT NULL,
    credential_id VARBINARY(1023) NOT NULL,
    public_key    VARBINARY(1024) NOT NULL,
    sign_count    INT UNSIGNED    NOT NULL,
    name          VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at    DATETIME(6)     NOT NULL,
    usable_from   DATETIME(6)     NOT NULL,
    last_used_at  DATETIME(6)     NULL,
    CONSTRAINT passkeys_pk PRIMARY KEY (id),
    CONSTRAINT passkeys_credential_is_unique UNIQUE (credential_id),
    CONSTRAINT passkeys_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How often something was done for a subject (a phone, an address, both together; hashed, for one length of all), in the
-- window that ends then, and when the last time was.
CREATE TABLE IF NOT EXISTS quotas (
    subject_hash   BINARY(32)   NOT NULL,
    uses           INT UNSIGNED NOT NULL,
    last_at        DATETIME(6)  NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT quotas_pk PRIMARY KEY (subject_hash),
    INDEX quotas_by_end (window_ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How much of a quota is used within the window that ends then. `subject` is whose it is: a user's id, or the first half of
-- the SHA-256 of an address. One rule for all (see use_quota).
CREATE TABLE IF NOT EXISTS quota_usage (
    subject        BINARY(16)   NOT NULL,
    quota          VARCHAR(24)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    used           INT UNSIGNED NOT NULL,
    allowed        INT UNSIGNED NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT quota_usage_pk PRIMARY KEY (subject, quota),
    INDEX quota_usage_by_end (window_ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
