"""``python -m commerce``."""

from commerce.cli import app

if __name__ == "__main__":
    app(prog_name="python -m commerce")
