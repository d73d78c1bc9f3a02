"""``python -m sdk.live``."""

from sdk.live.cli import app

if __name__ == "__main__":
    app(prog_name="python -m sdk.live")
