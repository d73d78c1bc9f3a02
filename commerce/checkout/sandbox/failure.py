"""How the sandbox till says no: Stripe's error envelope."""

import json
from typing import Self


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """An answer other than 200.

    Attributes:
        status: HTTP status.
        is_kept: Whether the same idempotency key gets the same answer again; a request that was
            never begun is not remembered.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        is_kept: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_kept = is_kept
        self._facts = {"type": kind, "message": message, "code": code, "param": param}

    @classmethod
    def parameter(cls, message: str, param: str, code: str | None = None) -> Self:
        """A parameter is wrong: 400, and nothing was begun."""
        return cls(400, message, param=param, code=code, is_kept=False)

    @classmethod
    def missing(cls, what: str) -> Self:
        """No such object: 404."""
        return cls(404, f"No such {what}", code="resource_missing", is_kept=False)

    @property
    def body(self) -> str:
        """The envelope as JSON."""
        return json.dumps({"error": {k: v for k, v in self._facts.items() if v is not None}})
