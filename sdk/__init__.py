"""The front of house: sessions, media, signalling and pages over the engine and the shop."""
