"""Everything the SDK raises on purpose.

SdkError
├── SettingsError        an option or environment value is wrong
│   └── PortTakenError   somebody else listens there
├── SessionError         the session is closed or cannot do what was asked
│   └── QueueFullError   too much waits to be said already
├── SignallingError      an offer, answer or candidate will not do; ``.status`` is for HTTP
├── MessagingError       something between us and a chat service went wrong
│   ├── CallRefusedError a webhook call is forged, stale or unreadable; ``.status`` is for HTTP
│   └── DeliveryError    a message could not be sent; ``.is_final`` when trying again is useless
├── ApiError             a service refused a call of ``sdk.Client``; ``.status``
│   ├── NotAllowedError  a token or ticket is missing, wrong or over
│   ├── NotFoundError    there is no such session, product, order or link
│   ├── RefusedError     what was asked makes no sense, or somebody else was faster
│   └── ServiceBusyError it cannot be done now; ``.retry_after_s``
├── UnreachableError     a service does not answer
├── ForgedWebhookError   a webhook is not from the service, too old, or unreadable
└── OutputError          an output (file, RTMP, WHIP) cannot be opened or died
    └── WrongCodecError  a packet reached a sender that negotiated another codec
"""


class SdkError(Exception):
    """Root of the SDK's errors; its text is one line that names the thing and the next step."""


class SettingsError(SdkError):
    """An option or environment value is wrong."""


class PortTakenError(SettingsError):
    """Somebody else listens on the port."""


class SessionError(SdkError):
    """The session is closed, or cannot do what was asked."""


class QueueFullError(SessionError):
    """Too much waits to be said already; try again later."""


class SignallingError(SdkError):
    """An offer, answer or candidate is unacceptable.

    Attributes:
        status: HTTP status to answer with.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class MessagingError(SdkError):
    """Something between us and a chat service went wrong."""


class CallRefusedError(MessagingError):
    """A webhook call is forged, stale or unreadable.

    Attributes:
        status: HTTP status to answer with.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class DeliveryError(MessagingError):
    """A message could not be sent.

    Attributes:
        is_final: Whether trying again is useless.
    """

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class ApiError(SdkError):
    """A service refused a call.

    Attributes:
        status: HTTP status.
        retry_after_s: How long the service asks to wait, if it says so.
    """

    def __init__(self, status: int, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class NotAllowedError(ApiError):
    """A token or ticket is missing, wrong or over."""


class NotFoundError(ApiError):
    """There is no such session, product, order or link."""


class RefusedError(ApiError):
    """What was asked makes no sense, or somebody else was faster."""


class ServiceBusyError(ApiError):
    """It cannot be done now; try again later."""


class UnreachableError(SdkError):
    """A service does not answer."""


class ForgedWebhookError(SdkError):
    """A webhook is not from the service, too old, or unreadable."""


class OutputError(SdkError):
    """An output cannot be opened, or died."""


class WrongCodecError(OutputError):
    """A packet reached a sender that negotiated another codec; a mistake in the SDK."""
