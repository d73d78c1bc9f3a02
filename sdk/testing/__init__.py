"""For the tests of programs that use the service: the real surface, without a face.

```python
from sdk.testing import fake_session


async def test_my_bot():
    async with fake_session("products.csv") as fake:
        await my_bot.answer("do you have a lamp?", fake.client)
        await fake.settled()
        assert fake.said == ["We do have the Arc Lamp."]
        assert fake.pinned == "lamp-arc"
```
"""

from sdk.testing.engine import QuietEngine
from sdk.testing.session import FakeSession, fake_app, fake_session

__all__ = ["FakeSession", "QuietEngine", "fake_app", "fake_session"]
