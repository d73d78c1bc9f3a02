"""The recipe of the label network (``portrait/models/labels.safetensors``)."""
