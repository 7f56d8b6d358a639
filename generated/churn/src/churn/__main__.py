"""`python -m churn`."""

import sys
import traceback

try:
    from .cli import app
except ImportError:
    traceback.print_exc()
    sys.exit(
        2
    )  # 1 means something to `monitor` and `predict`: there it would be taken for an answer

app(prog_name="python -m churn")
