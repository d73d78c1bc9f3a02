"""Draw the stored pictures of the reference renderer anew: the only writer of tests/golden.

    python scripts/goldens.py

Run it when the definition in CONVENTIONS.md changes, look at the pictures, and say in the commit
why they changed.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.golden_scenes import GOLDEN, draw_all


def main() -> None:
    """Write the pictures and say which of them changed."""
    for name, picture in draw_all().items():
        path = GOLDEN / f"render_{name}.png"
        is_same = path.exists() and np.array_equal(np.asarray(Image.open(path)), picture)
        print(f"{path.name}: {'unchanged' if is_same else 'written'}")
        if not is_same:
            Image.fromarray(picture).save(path)


if __name__ == "__main__":
    main()
