"""The tile renderer: several personas' frames on a GPU in one captured graph.

Nothing here is imported with the engine: Triton comes with torch's CUDA builds, and only
``render/choice.py`` asks for it, on machines that have an NVIDIA driver.
"""
