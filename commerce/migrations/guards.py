"""Triggers that keep the books honest whatever the code above them does, for both databases.

Rows of append-only tables refuse every change. A journal is refused unless its postings, written
before it, are at least two and sum to zero in every currency; a posting is refused once its
journal is there. A deferred foreign key refuses postings whose journal never comes.
"""

from collections.abc import Iterator, Sequence

_UNBALANCED = (
    "(SELECT count(*) FROM posting WHERE journal_id = NEW.id) < 2 OR EXISTS ("
    "SELECT 1 FROM posting WHERE journal_id = NEW.id"
    " GROUP BY currency HAVING sum(amount_minor) <> 0)"
)
_SEALED = "EXISTS (SELECT 1 FROM journal WHERE id = NEW.journal_id)"
_FOREIGN = (
    "NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.account_id AND currency = NEW.currency)"
)
_KEYS = {"attribution_credit": ("run_id", "position")}


def raised(dialect: str, tables: Sequence[str]) -> Iterator[str]:
    """The statements that set up every trigger, once the tables stand."""
    if dialect == "sqlite":
        yield from _sqlite(tables)
    else:
        yield from _postgresql(tables)


def lowered(dialect: str, tables: Sequence[str]) -> Iterator[str]:
    """The statements that take every trigger away again."""
    events = ("update", "delete", "replace") if dialect == "sqlite" else ("change", "truncate")
    names = [("journal", "journal_balances"), ("posting", "posting_precedes_journal")]
    names += [(table, f"{table}_no_{event}") for table in tables for event in events]
    for table, name in names:
        yield f"DROP TRIGGER {name}" + (f" ON {table}" if dialect == "postgresql" else "")
    if dialect == "postgresql":
        for function in ("ledger_refuse", "ledger_journal", "ledger_posting"):
            yield f"DROP FUNCTION {function}()"


def _sqlite(tables: Sequence[str]) -> Iterator[str]:
    for table in tables:
        for event in ("update", "delete"):
            yield (
                f"CREATE TRIGGER {table}_no_{event} BEFORE {event.upper()} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        # INSERT OR REPLACE deletes without asking the delete trigger.
        same = " AND ".join(f"{key} = NEW.{key}" for key in _KEYS.get(table, ("id",)))
        yield (
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    yield (
        f"CREATE TRIGGER journal_balances BEFORE INSERT ON journal WHEN {_UNBALANCED}"
        " BEGIN SELECT RAISE(ABORT, 'postings of a journal must sum to zero'); END"
    )
    yield (
        f"CREATE TRIGGER posting_precedes_journal BEFORE INSERT ON posting"
        f" WHEN {_SEALED} OR {_FOREIGN}"
        " BEGIN SELECT RAISE(ABORT, 'the journal is sealed, or the account is of another"
        " currency'); END"
    )


def _postgresql(tables: Sequence[str]) -> Iterator[str]:
    yield (
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';"
        " END $$"
    )
    for table in tables:
        yield (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )
    for name, condition, words in (
        ("ledger_journal", _UNBALANCED, "postings of a journal must sum to zero"),
        (
            "ledger_posting",
            f"{_SEALED} OR {_FOREIGN}",
            "the journal is sealed, or the account is of another currency",
        ),
    ):
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION '{words}'"
            " USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
        )
    yield (
        "CREATE TRIGGER journal_balances BEFORE INSERT ON journal"
        " FOR EACH ROW EXECUTE FUNCTION ledger_journal()"
    )
    yield (
        "CREATE TRIGGER posting_precedes_journal BEFORE INSERT ON posting"
        " FOR EACH ROW EXECUTE FUNCTION ledger_posting()"
    )
