"""Bytes to messages: framing, banners, hostile and broken text, escapes."""

import pytest

from callcenter.ami.codec import Decoder, Message, OversizeMessage, unescape

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def event(name: str = "Hangup", *headers: str, privilege: bool = True) -> bytes:
    lines = [f"Event: {name}", *(["Privilege: call,all"] if privilege else []), *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def decoded(data: bytes, wanted: dict[str, tuple[bytes, ...]] | None = None) -> tuple[list[Message], dict[str, int]]:
    decoder = Decoder(wanted)
    return decoder.feed(data), dict(decoder.counts)


def names(messages: list[Message]) -> list[str]:
    return [next(iter(message)) + ":" + next(iter(message.values())) for message in messages]


# --- what is wanted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        (event("Hangup"), True),
        (event("Newexten"), False),
        (event("VarSet", "Variable: A"), True),
        (event("VarSet", "Variable: B"), True),
        (event("VarSet", "Variable: C"), False),
        (event("Newexten", "ActionID: 7"), True),
        (b"Response: Success\r\nActionID: 7\r\n\r\n", True),
        (b"Response: Success\r\n\r\n", True),
    ],
    ids=["wanted", "not", "one needle", "the other", "neither", "part of an answer", "answer", "answer to nobody"],
)
def test_needles_and_answers(data: bytes, passes: bool) -> None:
    wanted = {"Hangup": (), "VarSet": (b"\r\nVariable: A\r\n", b"\r\nVariable: B\r\n")}
    messages, counts = decoded(data.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n"), wanted)
    assert bool(messages) is passes
    assert counts == ({} if passes else {"unwanted": 1})


def test_every_event_is_seen_also_the_unwanted() -> None:
    decoder = Decoder({"Hangup": ()})
    decoder.feed(event("Hangup") + event("Newexten") * 3 + b"Response: Success\r\n\r\n")
    assert decoder.seen == 4


# --- the banner ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(len(BANNER) + 1))
def test_the_banner_wherever_it_is_torn(cut: int) -> None:
    decoder = Decoder()
    messages = decoder.feed(BANNER[:cut]) + decoder.feed(BANNER[cut:] + event())
    assert names(messages) == ["Banner:Asterisk Call Manager/11.0.0", "Event:Hangup"]


def test_a_banner_in_the_middle_ends_what_the_lost_connection_had_begun() -> None:
    messages, counts = decoded(event() + b"Event: Newst" + BANNER + event("Newstate"))
    assert names(messages) == ["Event:Hangup", "Banner:Asterisk Call Manager/11.0.0", "Event:Newstate"]
    assert counts == {"garbage": 1}


def test_a_caller_who_calls_himself_a_banner_is_no_banner() -> None:
    messages, _ = decoded(event("Newchannel", "CallerIDName: Asterisk Call Manager/11.0.0", "Uniqueid: 1.1"))
    (message,) = messages
    assert (message["CallerIDName"], message["Uniqueid"]) == ("Asterisk Call Manager/11.0.0", "1.1")


# --- hostile and broken ----------------------------------------------------------------------------------------------


def test_a_single_valued_header_that_comes_twice_is_an_injection() -> None:
    messages, counts = decoded(event("Hangup", "Uniqueid: 1.1", "Uniqueid: 2.2") + event())
    assert (len(messages), counts) == (1, {"hostile": 1})


@pytest.mark.parametrize("second", ["Event: Hangup", "Event: Fake"])
def test_a_second_event_line_is_an_injection_even_if_it_says_the_same(second: str) -> None:
    assert decoded(event("Hangup", second))[1] == {"hostile": 1}


def test_the_same_header_with_the_same_value_is_a_repetition() -> None:
    assert decoded(event("Hangup", "Uniqueid: 1.1", "Uniqueid: 1.1"))[1] == {}


def test_what_may_repeat() -> None:
    (message,), _ = decoded(event("X", "Variable: a", "Variable: b", "ChanVariable: A=1", "ChanVariable: B=2=3"))
    assert message["Variable"] == "a\nb"
    assert (message["ChanVariable:A"], message["ChanVariable:B"]) == ("1", "2=3")


def test_one_channel_variable_is_named_like_many() -> None:
    (message,), _ = decoded(event("X", "ChanVariable: A=1", "DestChanVariable: A=2"))
    assert (message["ChanVariable:A"], message["DestChanVariable:A"]) == ("1", "2")


def test_an_event_forged_by_a_line_end_in_a_value_is_known_by_its_missing_privilege() -> None:
    forged = (
        b"Event: Newexten\r\nPrivilege: dialplan,all\r\nAppData: Evil\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\n\r\n"
    )
    messages, counts = decoded(forged)
    assert names(messages) == ["Event:Newexten"]
    assert counts == {"hostile": 1}


def test_a_forged_answer_is_no_call_event() -> None:
    forged = event("Hangup", "Uniqueid: 1.1", "ActionID: 7", privilege=False)
    messages, counts = decoded(event() + forged, {"Hangup": ()})
    assert (len(messages), counts) == (1, {"hostile": 1})


def test_a_stream_without_privileges_is_taken_as_it_is_until_the_first() -> None:
    assert len(decoded(event(privilege=False) * 2)[0]) == 2


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\xff\x00\r\n\r\n", b"x\r\n\r\n"])
def test_garbage_is_counted_and_the_next_message_is_whole(garbage: bytes) -> None:
    messages, counts = decoded(garbage + event())
    assert (names(messages), counts) == (["Event:Hangup"], {"garbage": 1})


def test_empty_lines_are_nothing() -> None:
    assert decoded(b"\r\n\r\n\r\n\r\n" + event()) == (decoded(event())[0], {})


def test_the_limit_is_on_what_is_unfinished() -> None:
    decoder = Decoder(max_message_bytes=1_000)
    decoder.feed(event("Hangup", "X: " + "y" * 900))
    assert len(decoder.feed(event() * 100)) == 100
    assert decoder.pending_bytes == 0
    decoder.feed(b"Event: " + b"x" * 900)
    with pytest.raises(OversizeMessage, match="more than 1000 bytes"):
        decoder.feed(b"x" * 200)


def test_what_a_lost_connection_left_is_dropped_once() -> None:
    decoder = Decoder()
    decoder.feed(b"Event: Hang")
    decoder.drop_partial()
    decoder.drop_partial()
    assert decoder.counts == {"garbage": 1}
    assert names(decoder.feed(event("Newstate"))) == ["Event:Newstate"]


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("张三".encode(), "张三"),
        ("张三".encode("gbk"), "张三"),
        ("𠮷".encode("gb18030"), "𠮷"),
        (b"\xff\xff", "��"),
        ("é".encode("latin-1"), "�"),
    ],
    ids=["UTF-8", "GBK", "GB18030, four bytes", "nothing", "half a GBK character"],
)
def test_names_in_the_encodings_of_chinese_trunks(raw: bytes, name: str) -> None:
    """Line by line: a name in GBK does not spoil the UTF-8 of another line."""
    data = event("X", "Company: 示例").replace(b"\r\n\r\n", b"\r\nCallerIDName: " + raw + b"\r\n\r\n")
    (message,), _ = decoded(data)
    assert (message["CallerIDName"], message["Company"]) == (name, "示例")


def test_a_character_torn_over_two_reads_is_whole() -> None:
    data = event("X", "CallerIDName: 张三")
    for cut in range(len(data)):
        decoder = Decoder()
        (message,) = decoder.feed(data[:cut]) + decoder.feed(data[cut:])
        assert message["CallerIDName"] == "张三"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("plain", "plain"),
        (r"a\\\"b", 'a"b'),
        (r"back\\\\slash", r"back\slash"),
        (r"line\r\nEvent: Fake", "line\r\nEvent: Fake"),
        (r"\t\a\?\'", "\t\a?'"),
        (r"unknown \x stays", r"unknown \x stays"),
        ("ends in \\", "ends in \\"),
        ("", ""),
    ],
)
def test_asterisks_escapes_are_undone(told: str, name: str) -> None:
    assert unescape(told) == name


def test_only_names_are_escaped() -> None:
    (message,), _ = decoded(event("X", r"CallerIDName: a\nb", r"Exten: a\nb", r"DestConnectedLineName: c\td"))
    assert (message["CallerIDName"], message["Exten"]) == ("a\nb", r"a\nb")
    assert message["DestConnectedLineName"] == "c\td"


def test_a_header_without_a_value_or_a_space() -> None:
    (message,), _ = decoded(event("X", "AccountCode: ", "Empty:", "Tight:x", "Url: http://a: b"))
    assert [message[key] for key in ("AccountCode", "Empty", "Tight", "Url")] == ["", "", "x", "http://a: b"]
