"""The CPU renderer."""
