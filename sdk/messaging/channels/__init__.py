"""The chat services, one file each."""
