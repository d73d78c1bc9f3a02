import re

import pytest
from fastapi import HTTPException

from sdk.signalling import IceServer, host_addresses_for
from sdk.signalling.ice import is_reachable_candidate
from tests.support.webrtc_viewer import WebRtcViewer
from tests.support.whep_house import whep_house

pytestmark = pytest.mark.asyncio

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


# What Firefox says with max-bundle: fingerprint of the session, hidden address, audio at port 0.
FIREFOX = (
    """v=0
o=mozilla...THIS_IS_SDPARTA-99.0 3142335742 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 """
    + ":".join(["5A"] * 32)
    + """
a=group:BUNDLE 0 1
a=ice-options:trickle
a=msid-semantic:WMS *
m=video 41000 UDP/TLS/RTP/SAVPF 120 124 126 127 97 98
c=IN IP4 0.0.0.0
a=candidate:0 1 UDP 2122252543 1f3e-77.local 41000 typ host
a=candidate:1 1 TCP 2105524479 1f3e-77.local 9 typ host tcptype active
a=recvonly
a=end-of-candidates
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=fmtp:127 apt=126
a=fmtp:98 apt=97
a=ice-pwd:0123456789abcdef0123456789abcdef
a=ice-ufrag:fedc0123
a=mid:0
a=rtcp-fb:120 nack
a=rtcp-fb:120 nack pli
a=rtcp-fb:126 nack
a=rtcp-fb:126 nack pli
a=rtcp-fb:126 ccm fir
a=rtcp-fb:126 goog-remb
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:126 H264/90000
a=rtpmap:127 rtx/90000
a=rtpmap:97 H264/90000
a=rtpmap:98 rtx/90000
a=setup:actpass
a=ssrc:1234 cname:{abc}
m=audio 0 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=bundle-only
a=recvonly
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:0123456789abcdef0123456789abcdef
a=ice-ufrag:fedc0123
a=mid:1
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
"""
)


async def offer_of(http, **options):
    viewer = WebRtcViewer(http, "/whep/main", **options)
    text = await viewer.offer()
    await viewer.aclose()
    return text


async def post(house, text, **headers):
    return await house.http.post("/whep/main", content=text, headers={**SDP, **headers})


async def test_an_offer_is_answered_with_all_a_player_needs():
    server = IceServer("turn:turn.example:3478?transport=udp", 'us"er', "secret")
    async with whep_house(ice_servers=(IceServer("stun:stun.example:3478"), server)) as house:
        response = await post(house, await offer_of(house.http))
        assert response.status_code == 201
        assert response.headers["Content-Type"] == "application/sdp"
        location = response.headers["Location"]
        assert location.startswith("/whep/main/")
        assert len(location.rsplit("/", 1)[1]) >= 20
        assert response.headers["ETag"].startswith('"')
        assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
        assert response.headers.get_list("Link") == [
            '<stun:stun.example:3478>; rel="ice-server"',
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="us\\"er"; '
            'credential="secret"; credential-type="password"',
        ]
        assert "Location" in response.headers["Access-Control-Expose-Headers"]
        answer = response.text
        assert answer.count("a=rtcp-mux-only\r\n") == 2
        assert answer.count("a=sendonly\r\n") == 2
        assert "127.0.0.1" in answer
        hosts = [line.split()[4] for line in answer.splitlines() if "a=candidate:" in line]
        assert set(hosts) == {"127.0.0.1"}, "a loopback server names no other address"
        assert (await house.http.delete(location)).status_code == 200


async def test_no_foreign_server_is_asked_by_default():
    async with whep_house() as house:
        response = await post(house, await offer_of(house.http))
        assert "Link" not in response.headers
        assert "srflx" not in response.text
        await house.http.delete(response.headers["Location"])


async def test_two_viewers_have_two_names():
    async with whep_house() as house:
        text = await offer_of(house.http)
        names = {(await post(house, text)).headers["Location"] for _ in range(2)}
        assert len(names) == 2
        assert house.caster.stats().viewers == 2
        for name in names:
            assert (await house.http.delete(name)).status_code == 200
            assert (await house.http.delete(name)).status_code == 404
        assert house.caster.stats().viewers == 0


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (lambda t: "hello", 400, "not SDP"),
        (lambda t: "", 400, "not SDP"),
        (lambda t: "v=0\r\n", 400, ""),
        (lambda t: t.split("m=")[0], 400, "no media"),
        (lambda t: t.replace("a=recvonly", "a=sendonly"), 422, "sendonly"),
        (lambda t: t.replace("a=recvonly", "a=inactive"), 422, "inactive"),
        (lambda t: t.replace("opus/48000/2", "speex/16000"), 406, "Opus"),
        (lambda t: t.replace("H264/90000", "AV1/90000").replace("VP8/", "VP9/"), 406, "H.264"),
        (lambda t: t.replace("a=group:BUNDLE 0 1\r\n", ""), 400, "bundled"),
        (lambda t: t.replace("a=ice-pwd", "a=x-pwd"), 400, "ice-pwd"),
        (lambda t: t.replace("a=fingerprint", "a=x-fingerprint"), 400, "fingerprint"),
        (lambda t: t.replace("a=mid:1", "a=mid:0"), 400, "a=mid"),
        (lambda t: t.replace("m=audio", "m=application"), 422, "application"),
        (lambda t: t + "m=" + t.split("m=")[1], 422, "at most one"),
        (lambda t: t.replace("a=rtcp-mux\r\n", ""), 400, "rtcp-mux"),
        (lambda t: t.replace("a=fmtp:", "a=fmtp:x"), 400, ""),
        (lambda t: re.sub(r"m=audio \d+", "m=audio 0", t), 422, "port 0"),
        (lambda t: t + "a=x:" + "y" * 70_000, 413, "larger"),
    ],
)
async def test_unacceptable_offers_get_a_clear_refusal(change, status, says):
    async with whep_house() as house:
        text = await offer_of(house.http)
        changed = change(text)
        assert changed != text
        response = await post(house, changed)
        assert response.status_code == status, response.text
        assert says in response.json()["detail"]
        assert "\n" not in response.json()["detail"]
        assert house.caster.stats().viewers == 0


async def test_a_bundle_only_medium_has_no_port_of_its_own():
    async with whep_house() as house:
        text = await offer_of(house.http)
        text = re.sub(r"m=audio \d+ (.*)\r\n", r"m=audio 0 \1\r\na=bundle-only\r\n", text)
        response = await post(house, text)
        assert response.status_code == 201, response.text
        assert (await house.http.delete(response.headers["Location"])).status_code == 200


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
async def test_what_firefox_offers(newline):
    async with whep_house() as house:
        response = await post(house, FIREFOX.replace("\n", newline))
        assert response.status_code == 201, response.text
        video, audio = re.findall(r"m=(?:video|audio) .*", response.text)
        assert video.split()[3] == "126", "constrained baseline in packetization mode 1"
        assert audio.split()[3] == "109"
        await house.http.delete(response.headers["Location"])


async def test_h264_is_preferred_whatever_comes_first():
    async with whep_house() as house:
        both = await offer_of(house.http, video_codecs=("video/VP8", "video/H264"))
        assert both.index("VP8/90000") < both.index("H264/90000")
        response = await post(house, both)
        assert "H264/90000" in response.text
        assert "VP8/90000" not in response.text
        first = response.text.split("m=video")[1].split()[2]
        profile = next(ln for ln in response.text.splitlines() if ln.startswith(f"a=fmtp:{first} "))
        assert "42e01f" in profile, "constrained baseline is what we send"
        await house.http.delete(response.headers["Location"])


async def test_wrong_type_unknown_session_and_unknown_viewer():
    async with whep_house() as house:
        text = await offer_of(house.http)
        assert (await post(house, text, **{"Content-Type": "text/plain"})).status_code == 415
        typed = await post(house, text, **{"Content-Type": "Application/SDP; charset=utf-8"})
        assert typed.status_code == 201
        await house.http.delete(typed.headers["Location"])
        missing = await house.http.post("/whep/nobody", content=text, headers=SDP)
        assert missing.status_code == 404
        assert "'nobody'" in missing.json()["detail"]
        for method in ("DELETE", "GET"):
            assert (await house.http.request(method, "/whep/main/none")).status_code == 404
        assert (await post(house, b"\xff\xfe")).status_code == 400


async def test_trickled_candidates():
    async with whep_house() as house:
        made = await post(house, await offer_of(house.http))
        where, etag = made.headers["Location"], made.headers["ETag"]
        line = "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n"
        good = (
            f"a=mid:0\r\n{line}a=candidate:2 1 udp 1 x.local 4 typ host\r\na=end-of-candidates\r\n"
        )

        async def patch(text, **headers):
            sent = {**FRAGMENT, "If-Match": etag, **headers}
            sent = {name: value for name, value in sent.items() if value}
            return (await house.http.patch(where, content=text, headers=sent)).status_code

        assert await patch(good) == 204
        assert await patch("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n" + line) == 204
        assert await patch(line) == 204, "a fragment without a medium means the bundle"
        assert await patch(good, **{"Content-Type": "application/sdp"}) == 415
        assert await patch(good, **{"If-Match": ""}) == 428
        assert await patch(good, **{"If-Match": '"other"'}) == 412
        assert await patch(good, **{"If-Match": "*"}) == 422
        assert await patch("a=ice-ufrag:new1\r\na=ice-pwd:" + "p" * 22 + "\r\n" + good) == 422
        assert await patch("nonsense\r\n") == 400
        assert await patch(line * 40) == 400
        assert (await house.http.get(where)).status_code == 204
        assert (await house.http.delete(where)).status_code == 200
        assert await patch(good) == 404


async def test_discovery_and_preflight():
    async with whep_house() as house:
        head = await house.http.head("/whep/main")
        assert (head.status_code, head.headers["Content-Type"]) == (200, "application/sdp")
        assert (await house.http.get("/whep/main")).status_code == 204
        assert (await house.http.get("/whep/nobody")).status_code == 404
        options = await house.http.options("/whep/main", headers={"Origin": "http://shop.example"})
        assert options.status_code == 204
        assert options.headers["Access-Control-Allow-Origin"] == "*"
        assert options.headers["Accept-Post"] == "application/sdp"
        assert "Authorization" in options.headers["Access-Control-Allow-Headers"]
        viewer = await house.http.options("/whep/main/any")
        assert "PATCH" in viewer.headers["Access-Control-Allow-Methods"]


async def test_a_full_house_says_when_to_come_back():
    async with whep_house(max_viewers=1) as house:
        text = await offer_of(house.http)
        first = await post(house, text)
        full = await post(house, text)
        assert full.status_code == 503
        assert int(full.headers["Retry-After"]) > 0
        await house.http.delete(first.headers["Location"])
        again = await post(house, text)
        assert again.status_code == 201
        await house.http.delete(again.headers["Location"])


async def test_permission_is_asked_for_everything_but_the_preflight():
    def authorise(request):
        if request.headers.get("Authorization") != "Bearer ticket":
            raise HTTPException(401, "a ticket is needed", {"WWW-Authenticate": "Bearer"})

    async with whep_house(authorise=authorise) as house:
        text = await offer_of(house.http)
        refused = await post(house, text)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert (await house.http.options("/whep/main")).status_code == 204
        ticket = {"Authorization": "Bearer ticket"}
        admitted = await post(house, text, **ticket)
        assert admitted.status_code == 201
        where = admitted.headers["Location"]
        assert (await house.http.delete(where)).status_code == 401
        assert (await house.http.delete(where, headers=ticket)).status_code == 200


async def test_an_ended_broadcast_refuses_and_releases():
    async with whep_house() as house:
        text = await offer_of(house.http)
        where = (await post(house, text)).headers["Location"]
        await house.caster.aclose()
        ended = await post(house, text)
        assert ended.status_code == 404
        assert "ended" in ended.json()["detail"]
        assert (await house.http.get(where)).status_code in (204, 404)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("localhost", ("127.0.0.1",)),
        ("::1", ("::1",)),
        ("[::1]", ("::1",)),
        ("192.0.2.7", ("192.0.2.7",)),
        ("0.0.0.0", ()),
        ("::", ()),
        ("shop.example", ()),
    ],
)
async def test_media_use_the_address_that_http_is_bound_to(host, addresses):
    assert host_addresses_for(host) == addresses


@pytest.mark.parametrize(
    ("line", "is_reachable"),
    [
        ("a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host", True),
        ("a=candidate:1 1 UDP 2130706431 2001:db8::1 4000 typ host generation 0", True),
        ("a=candidate:1 1 udp 2130706431 0a1b.local 4000 typ host", False),
        ("a=candidate:1 1 tcp 2130706431 192.0.2.1 9 typ host tcptype active", False),
        ("a=candidate:1 1 udp 2130706431 192.0.2.1 0 typ host", False),
        ("a=candidate:1 1 udp -5 192.0.2.1 70000 typ host", False),
        ("a=candidate:1 1 udp", False),
    ],
)
async def test_candidates_worth_trying(line, is_reachable):
    assert is_reachable_candidate(line) is is_reachable
