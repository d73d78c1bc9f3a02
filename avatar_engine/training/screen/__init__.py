"""Recipe of the screen-space generator: pairs of pictures, losses, learning, measuring."""
