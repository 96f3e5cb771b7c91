"""`python -m local.documentation FOLDER` writes the site there."""

import sys
from pathlib import Path

from local.documentation import build

if __name__ == "__main__":
    build(Path(sys.argv[1]))
