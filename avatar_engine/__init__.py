"""The workshop: a head, its voice, its muscles. No sockets, no environment, no database."""
