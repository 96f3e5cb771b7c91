-- People: who they are by their own word, and as far as an operator has looked. Nothing here knows about money. What people say
-- of themselves (`users.kind`, `users.phone`) names nobody to others and has nobody sent anything.

-- `phone` is NULL once it has a next owner, and `former_phone` is what it was: the old books keep it. `signed_in_at`: the
-- last sign-in with the password.
CREATE TABLE IF NOT EXISTS users (
    id            BINARY(16)   NOT NULL,
    phone         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    name          VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    email         VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    kind          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    password_hash VARBINARY(60) NOT NULL,
    created_at    DATETIME(6)  NOT NULL,
    former_phone  VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    signed_in_at  DATETIME(6)  NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_phone_is_unique UNIQUE (phone),
    CONSTRAINT users_kind_is_known CHECK (kind IN ('personal', 'merchant')),
    CONSTRAINT users_have_or_had_a_phone CHECK ((phone IS NULL) = (former_phone IS NOT NULL)),
    INDEX users_by_former_phone (former_phone)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Merchants that others are shown as such. `registered_name` is what the end of the approval puts back.
CREATE TABLE IF NOT EXISTS merchant_approvals (
    user_id         BINARY(16)   NOT NULL,
    registered_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    approved_at     DATETIME(6)  NOT NULL,
    CONSTRAINT merchant_approvals_pk PRIMARY KEY (user_id),
    CONSTRAINT merchant_approvals_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Phones that are known to be their owners', and may be sent messages. It says which phone: another one is not proved.
CREATE TABLE IF NOT EXISTS proved_phones (
    user_id   BINARY(16)  NOT NULL,
    phone     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    proved_at DATETIME(6) NOT NULL,
    CONSTRAINT proved_phones_pk PRIMARY KEY (user_id),
    CONSTRAINT proved_phones_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Phones that accounts had before an operator or the next owner took them: the old books name them.
CREATE TABLE IF NOT EXISTS former_phones (
    phone    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id  BINARY(16)  NOT NULL,
    ended_at DATETIME(6) NOT NULL,
    CONSTRAINT former_phones_pk PRIMARY KEY (phone, user_id, ended_at),
    CONSTRAINT former_phones_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Names that accounts had: the old books, and whoever was paid, know them.
CREATE TABLE IF NOT EXISTS former_names (
    user_id  BINARY(16)   NOT NULL,
    name     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    ended_at DATETIME(6)  NOT NULL,
    CONSTRAINT former_names_pk PRIMARY KEY (user_id, ended_at),
    CONSTRAINT former_names_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
