"""Phone proofs: a phone is its owner's, who has shown a code that was sent to it."""
