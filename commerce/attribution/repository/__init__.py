"""The ledger's queries. Whoever writes takes ``turn`` first; the caller commits."""
