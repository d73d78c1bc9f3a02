"""The schema's history, applied by ``commerce.database`` when a database is opened."""

HEAD = "0006"
