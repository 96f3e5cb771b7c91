"""Passkeys: key pairs of a person's devices, which confirm without a message (WebAuthn, level 2)."""
