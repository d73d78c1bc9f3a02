"""The tables of the ledger: touches, identity, credit, journal and postings."""
