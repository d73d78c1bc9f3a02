"""Triggers that let old touches go, and nothing else: only below a seal that fits the chain.

A seal names a touch with its hash, and every touch up to it must be older than the seal says. Until
one is there, and above it ever after, touches stay append-only.
"""

from collections.abc import Iterator

_UNSEALED = "NOT EXISTS (SELECT 1 FROM touch_anchor WHERE last_id >= OLD.id)"
_UNFIT = (
    "NOT EXISTS (SELECT 1 FROM touch WHERE id = NEW.last_id AND hash = NEW.hash)"
    " OR EXISTS (SELECT 1 FROM touch WHERE id <= NEW.last_id"
    " AND (recorded_us >= NEW.before_us OR occurred_us >= NEW.before_us))"
)
_CREATE_REFUSAL = (
    "CREATE TRIGGER touch_no_delete BEFORE DELETE ON touch"
    " BEGIN SELECT RAISE(ABORT, 'touch is append-only'); END"
)
_CREATE_CHANGE = (
    "CREATE TRIGGER touch_no_change BEFORE {events} ON touch"
    " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
)


def raised(dialect: str) -> Iterator[str]:
    """The statements that open the guarded way out, once the tables stand."""
    yield from (_sqlite() if dialect == "sqlite" else _postgresql())


def lowered(dialect: str) -> Iterator[str]:
    """The statements that close it again."""
    if dialect == "sqlite":
        for name in ("fits", "no_update", "no_delete", "no_replace"):
            yield f"DROP TRIGGER touch_anchor_{name}"
        yield "DROP TRIGGER touch_no_delete"
        yield _CREATE_REFUSAL
        return
    for name in ("fits", "no_change", "no_truncate"):
        yield f"DROP TRIGGER touch_anchor_{name} ON touch_anchor"
    for name in ("touch_no_change", "touch_no_delete"):
        yield f"DROP TRIGGER {name} ON touch"
    for function in ("ledger_anchor", "ledger_unsealed"):
        yield f"DROP FUNCTION {function}()"
    yield _CREATE_CHANGE.format(events="UPDATE OR DELETE")


def _sqlite() -> Iterator[str]:
    yield "DROP TRIGGER touch_no_delete"
    yield (
        f"CREATE TRIGGER touch_no_delete BEFORE DELETE ON touch WHEN {_UNSEALED}"
        " BEGIN SELECT RAISE(ABORT, 'touch is append-only'); END"
    )
    yield (
        f"CREATE TRIGGER touch_anchor_fits BEFORE INSERT ON touch_anchor WHEN {_UNFIT}"
        " BEGIN SELECT RAISE(ABORT, 'the seal does not fit the touches'); END"
    )
    for event in ("update", "delete"):
        yield (
            f"CREATE TRIGGER touch_anchor_no_{event} BEFORE {event.upper()} ON touch_anchor"
            " BEGIN SELECT RAISE(ABORT, 'touch_anchor is append-only'); END"
        )
    yield (
        "CREATE TRIGGER touch_anchor_no_replace BEFORE INSERT ON touch_anchor"
        " WHEN EXISTS (SELECT 1 FROM touch_anchor WHERE id = NEW.id OR last_id = NEW.last_id)"
        " BEGIN SELECT RAISE(ABORT, 'touch_anchor is append-only'); END"
    )


def _postgresql() -> Iterator[str]:
    yield "DROP TRIGGER touch_no_change ON touch"
    yield _CREATE_CHANGE.format(events="UPDATE")
    for name, condition, words, row in (
        ("ledger_unsealed", _UNSEALED, "touch is append-only", "OLD"),
        ("ledger_anchor", _UNFIT, "the seal does not fit the touches", "NEW"),
    ):
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION '{words}'"
            f" USING ERRCODE = 'check_violation'; END IF; RETURN {row}; END $$"
        )
    yield (
        "CREATE TRIGGER touch_no_delete BEFORE DELETE ON touch"
        " FOR EACH ROW EXECUTE FUNCTION ledger_unsealed()"
    )
    yield (
        "CREATE TRIGGER touch_anchor_fits BEFORE INSERT ON touch_anchor"
        " FOR EACH ROW EXECUTE FUNCTION ledger_anchor()"
    )
    yield (
        "CREATE TRIGGER touch_anchor_no_change BEFORE UPDATE OR DELETE ON touch_anchor"
        " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    yield (
        "CREATE TRIGGER touch_anchor_no_truncate BEFORE TRUNCATE ON touch_anchor"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
    )
