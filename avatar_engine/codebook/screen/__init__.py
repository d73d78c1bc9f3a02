"""The screen-space generator: what a flow and two codebooks add to the Gaussians' picture.

For quality rather than speed; needs torch. The package imports nothing until asked: see
``loading.load_generator`` and ``painter.ScreenPainter``.
"""
