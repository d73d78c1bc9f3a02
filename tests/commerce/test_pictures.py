"""Pictures of strangers: fetched from the public internet only, capped, and painted anew."""

import asyncio
import contextlib
import io
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from commerce.catalogue.pictures import PictureFetcher, PictureLimits, is_public, repainted
from commerce.errors import PictureError
from commerce.shop import Shop
from tests.support.shops import shop_url, shop_with, written
from tests.support.tills import Clock

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def png(size=(40, 30), **extra):
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG", **extra)
    return data.getvalue()


@asynccontextmanager
async def server(answer: Callable[[str], bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP server on loopback that answers each path; and the hosts it was asked for."""
    hosts: list[str] = []

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            hosts.append(request.split("Host: ")[1].split("\r\n")[0])
            writer.write(answer(request.split()[1]))
            await writer.drain()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    try:
        yield f"http://pictures.example:{port}", hosts
    finally:
        running.close()


def reply(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body


def fetcher(**limits) -> PictureFetcher:
    async def resolve(host, port):
        if host == "pictures.example":
            return [LOOPBACK]
        return [ipaddress.ip_address(host)] if host[0].isdigit() else []

    return PictureFetcher(
        PictureLimits(**limits), resolve=resolve, may_connect=lambda one: one == LOOPBACK
    )


@pytest.mark.asyncio
async def test_a_picture_is_painted_anew_and_made_smaller():
    async with server(lambda path: reply(png((3000, 1500)))) as (url, hosts):
        data = await fetcher().fetch(f"{url}/a.png")
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP", (1024, 512))
    assert hosts[0].startswith("pictures.example:")


@pytest.mark.asyncio
async def test_redirects_are_followed_and_judged_each():
    def answer(path):
        if path == "/old":
            return reply(b"", "302 Found", "Location: /new\r\n")
        if path == "/inside":
            return reply(b"", "302 Found", "Location: http://10.0.0.1/secret\r\n")
        if path == "/file":
            return reply(b"", "302 Found", "Location: file:///etc/passwd\r\n")
        if path == "/loop":
            return reply(b"", "302 Found", "Location: /loop\r\n")
        return reply(png())

    async with server(answer) as (url, _):
        assert await fetcher().fetch(f"{url}/old")
        for path, reason in (
            ("inside", "private network"), ("file", "not a plain"), ("loop", "without end"),
        ):  # fmt: skip
            with pytest.raises(PictureError, match=reason):
                await fetcher().fetch(f"{url}/{path}")


@pytest.mark.asyncio
async def test_what_costs_too_much_or_is_no_picture():
    bodies = {
        "/big": png() + b"0" * 60_000,
        "/page": b"<html>",
        "/wide": png((3000, 2000)),
        "/cut": png((300, 200))[:100],
        "/svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    limits = {"most_bytes": 50_000, "most_pixels": 1_000_000}
    async with server(lambda path: reply(bodies.get(path, b""), "404 No")) as (url, _):
        with pytest.raises(PictureError, match="answers 404"):
            await fetcher().fetch(f"{url}/x")
    async with server(lambda path: reply(bodies[path])) as (url, _):
        for path, reason in (
            ("/big", "larger than"), ("/page", "no picture"), ("/wide", "more pixels"),
            ("/cut", "no picture"), ("/svg", "no picture"),
        ):  # fmt: skip
            with pytest.raises(PictureError, match=reason):
                await fetcher(**limits).fetch(url + path)


@pytest.mark.asyncio
async def test_a_server_that_never_answers():
    never = asyncio.Event()

    async def serve(reader, writer):
        await never.wait()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    with pytest.raises(PictureError, match=r"in time|cannot be fetched"):
        await fetcher(timeout_s=0.2).fetch(f"http://pictures.example:{port}/a.png")
    never.set()
    running.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png", "http://localhost/a.png", "http://169.254.169.254/latest",
        "http://[::1]/a.png", "http://[::ffff:10.0.0.1]/a.png", "http://0.0.0.0/a.png",
        "http://192.168.1.1/a.png", "http://[fd00::1]/a", "http://[64:ff9b::7f00:1]/a",
        "http://[2002:7f00:1::]/a",
    ],
)  # fmt: skip
async def test_private_places_are_never_asked(url):
    with pytest.raises(PictureError, match="private network"):
        await PictureFetcher().fetch(url)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url", ["ftp://x.example/a", "file:///etc/passwd", "http://u:p@x.example/a", "http://[bad", ""]
)
async def test_addresses_that_are_none(url):
    with pytest.raises(PictureError):
        await fetcher().fetch(url)


@pytest.mark.asyncio
async def test_one_private_address_among_public_ones_is_enough():
    async def resolve(host, port):
        return [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("10.0.0.1")]

    with pytest.raises(PictureError, match="private network"):
        await PictureFetcher(resolve=resolve).fetch("http://x.example/a.png")


def test_public_addresses():
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:2800:220:1:248:1893:25c8:1946"))
    assert not is_public(ipaddress.ip_address("224.0.0.1"))
    assert not is_public(ipaddress.ip_address("100.64.0.1"))


def test_nothing_of_the_original_file_survives():
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("comment", "where the seller lives")
    data = repainted(png(pnginfo=told) + b"<script>", PictureLimits())
    assert b"seller" not in data
    assert b"script" not in data


@pytest.mark.asyncio
async def test_a_product_gets_its_picture(tmp_path):
    async with server(lambda path: reply(png())) as (url, _):
        text = f"sku,title,price,image\nmug,Mug,5,{url}/mug.png\nlamp,Lamp,6,\n"
        async with shop_with(text, tmp_path) as shop:
            assert (await shop.fetch_picture("mug", fetcher()) or b"")[8:12] == b"WEBP"
            assert await shop.fetch_picture("lamp", fetcher()) is None
            with pytest.raises(PictureError):
                await shop.fetch_picture("mug")


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_picture_is_fetched_once_kept_and_served_when_its_server_is_gone(tmp_path):
    answers = [reply(png())]
    async with server(lambda path: answers[-1]) as (url, hosts):
        clock = Clock()
        goods = f"sku,title,price,image\nmug,Mug,5,{url}/mug.png\ntea,Tea,5,\n"
        where = shop_url(str(tmp_path / "shop.db"))
        async with Shop.open(where, clock=clock, fetcher=fetcher()) as shop:
            await shop.import_file(written(tmp_path, goods))
            assert hosts == []  # nothing is fetched while importing
            first, *others = await asyncio.gather(*(shop.picture("mug") for _ in range(5)))
            assert isinstance(first, bytes)
            assert first[8:12] == b"WEBP"
            assert others == [first] * 4
            assert len(hosts) == 1
            assert await shop.picture("tea") is None
            assert await shop.picture("nothing") is None
        answers.append(reply(b"", "404 Not Found"))
        async with Shop.open(where, clock=clock, fetcher=fetcher()) as shop:
            assert await shop.picture("mug") == first
            assert len(hosts) == 1
            clock.turn(days=31)
            for _ in range(3):
                assert await shop.picture("mug") == first  # an old one is better than none
            assert len(hosts) == 2
            answers.append(reply(png((8, 8))))
            clock.turn(minutes=11)
            assert await shop.picture("mug") != first


@pytest.mark.asyncio
async def test_what_cannot_be_fetched_is_not_asked_for_with_every_viewer(tmp_path):
    async with server(lambda path: reply(b"no picture")) as (url, hosts):
        goods = f"sku,title,price,image\nmug,Mug,5,{url}/x\nbad,Bad,5,http://169.254.169.254/x\n"
        async with Shop.open(":memory:", clock=Clock(), fetcher=fetcher()) as shop:
            await shop.import_file(written(tmp_path, goods))
            for _ in range(3):
                assert await shop.picture("mug") is None
                assert await shop.picture("bad") is None
            assert len(hosts) == 1
