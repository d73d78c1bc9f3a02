"""The workshop: a head, its voice and its muscles. Synchronous; no sockets, no environment, no database."""
