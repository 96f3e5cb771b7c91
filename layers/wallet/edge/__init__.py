"""HTTP in and out: requests, answers, idempotency, and refusals as problem documents."""
