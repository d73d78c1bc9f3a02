"""From folders of portraits to unwrapped heads on disk, which the codebooks learn from."""
