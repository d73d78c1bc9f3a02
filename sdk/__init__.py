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
    from commerce.models.webhooks import Endpoint as WebhookEndpoint
    from sdk.client import Client
    from sdk.client.webhooks import Webhook, verify_webhook
    from sdk.live.service import Service
    from sdk.live.service import create_service as create_app
    from sdk.live.wiring import Catalogue, LiveSession
    from sdk.session import Speech
    from sdk.types.session import Event, Priority, Utterance

__all__ = [
    "Catalogue",
    "Client",
    "Event",
    "LiveSession",
    "Persona",
    "Priority",
    "Service",
    "Speech",
    "Utterance",
    "Webhook",
    "WebhookEndpoint",
    "create_app",
    "verify_webhook",
]

# Names load what they need when they are first used, so that `--help` stays light.
_HOMES = {
    "Catalogue": "sdk.live.wiring:Catalogue",
    "Client": "sdk.client:Client",
    "Event": "sdk.types.session:Event",
    "LiveSession": "sdk.live.wiring:LiveSession",
    "Persona": "avatar_engine.persona:Persona",
    "Priority": "sdk.types.session:Priority",
    "Service": "sdk.live.service:Service",
    "Speech": "sdk.session:Speech",
    "Utterance": "sdk.types.session:Utterance",
    "Webhook": "sdk.client.webhooks:Webhook",
    "WebhookEndpoint": "commerce.models.webhooks:Endpoint",
    "create_app": "sdk.live.service:create_service",
    "verify_webhook": "sdk.client.webhooks:verify_webhook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sdk' has no attribute {name!r}")
    home, _, own = _HOMES[name].partition(":")
    return getattr(import_module(home), own)
