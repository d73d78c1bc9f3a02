"""The shop: catalogue, search, pitch text. No tensors, no web framework."""
