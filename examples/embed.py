"""Livepitch inside your own program: twelve lines, no server, no browser.

Run it from the repository: ``python examples/embed.py`` writes ``embed.mp4`` beside you.
"""

import asyncio

from sdk import LiveSession


async def main() -> None:
    """Say two things, show two products, cut the second one short."""
    async with LiveSession(
        persona="examples/face.png",
        catalogue="examples/catalogue.csv",
        outputs=["embed.mp4"],
    ) as session:
        first, second, *_ = (product["sku"] for product in session.shelf.products)
        speech = session.say("Hello everyone! Look at this one.", product=first)
        await speech.wait_for_playout()
        session.pin(second)
        speech = session.say("And this is a very long story that nobody will hear to its end.")
        await asyncio.sleep(1.5)
        await session.interrupt()
        print(f"interrupted: {speech.interrupted}, heard: {speech.heard!r}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
