"""The shop on the command line.

Exit status: 0 all good; 1 nothing could be done (one line on stderr says why); 2 wrong usage;
3 the import went through, but some rows were left out.
"""

from commerce.cli import evaluate, ledger, letterbox, shelves, till, webhooks
from commerce.cli.console import app

# Each module adds its commands to ``app`` when it is imported.
__all__ = ["app", "evaluate", "ledger", "letterbox", "shelves", "till", "webhooks"]
