"""What the rooms of the SDK hand to each other; one file per subject, imported by its path."""
