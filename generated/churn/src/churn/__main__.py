"""`python -m churn`."""

import sys
import traceback

try:
    from .cli import app
except ImportError:
    traceback.print_exc()
    # of `monitor` and `predict`, 1 is an answer
    sys.exit(2)

app(prog_name="python -m churn")
