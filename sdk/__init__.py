"""The front of house: sessions, media, signalling and pages over the engine and the shop.

```python
from sdk import LiveSession

async with LiveSession(persona="face.png", catalogue="products.csv") as session:
    speech = session.say("Hello everyone!", product="sku-1")
    await speech.wait_for_playout()
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar_engine.persona import Persona
    from sdk.live.wiring import Catalogue, LiveSession
    from sdk.session import Speech
    from sdk.types.session import Event, Priority, Utterance

__all__ = ["Catalogue", "Event", "LiveSession", "Persona", "Priority", "Speech", "Utterance"]

# Names load what they need when they are first used, so that `--help` stays light.
_HOMES = {
    "Catalogue": "sdk.live.wiring",
    "Event": "sdk.types.session",
    "LiveSession": "sdk.live.wiring",
    "Persona": "avatar_engine.persona",
    "Priority": "sdk.types.session",
    "Speech": "sdk.session",
    "Utterance": "sdk.types.session",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sdk' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
