"""`python -m tests.fuzz --seed 7 --minutes 5`: Schemathesis over a running stack; see `make fuzz-api`."""

import argparse
import json
import secrets
import sys
from pathlib import Path

from tests.fuzz.run import run
from tests.support.client import Api


def main(arguments: list[str]) -> int:
    """0 if every answer was one that the document has, and none a fault of ours."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Asks the API what nobody would ask.")
    parser.add_argument("--seed", type=int, default=None, help="what is asked; a random one if none is given")
    parser.add_argument("--minutes", type=float, default=5.0, help="less than a token is good for: 15")
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"), help="what `make up` has written")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    print(f"  SEED={seed} MINUTES={given.minutes:g}", flush=True)
    done = run(Api(json.loads(given.stack.read_text())), seed=seed, seconds=round(60 * given.minutes))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
