"""Multipart bodies taken apart while they arrive, however they are cut into pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.dicomweb.multipart_body import (
    HEADERS_BYTES_MAX,
    BadMultipart,
    MultipartBody,
    PartBegins,
    PartEnds,
    media_type,
)


def body_of(
    contents: list[bytes], boundary: str = "edge", preamble: bytes = b"", after: bytes = b""
) -> bytes:
    parts = [
        b"\r\n--" + boundary.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + one
        for one in contents
    ]
    whole = b"".join(parts) + b"\r\n--" + boundary.encode() + b"--" + after
    return (preamble + whole) if preamble else whole.removeprefix(b"\r\n")


def taken_apart(body: bytes, cuts: list[int], boundary: str = "edge") -> tuple[list[bytes], bool]:
    parser, found, places = MultipartBody(boundary), [], sorted({0, len(body), *cuts})
    current: bytearray | None = None
    for start, end in pairwise(places):
        for event in parser.feed(body[start:end]):
            if isinstance(event, PartBegins):
                assert event.headers == {"content-type": "application/dicom"}
                current = bytearray()
            elif isinstance(event, PartEnds):
                found.append(bytes(current))
            else:
                current += event
    return found, parser.is_complete


awkward = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"edge", b"\r\n--edg", b"\r\n--", b"x" * 50])
).map(b"".join)


@given(st.lists(awkward, max_size=4), st.lists(st.integers(0, 800), max_size=30), st.booleans())
def test_contents_come_out_as_they_went_in_wherever_the_body_is_cut(contents, cuts, has_preamble):
    contents = [one.replace(b"\r\n--edge", b"") for one in contents]
    contents = [one for one in contents if b"\r\n--edge" not in one]
    body = body_of(contents, preamble=b"to be ignored" if has_preamble else b"", after=b"\r\nepilogue")
    found, is_complete = taken_apart(body, [cut for cut in cuts if cut < len(body)])
    assert found == contents
    assert is_complete


def test_a_body_of_single_bytes_is_understood():
    body = body_of([b"first", b"", b"third\r\n"])
    assert taken_apart(body, list(range(len(body)))) == ([b"first", b"", b"third\r\n"], True)


def test_a_body_that_breaks_off_is_not_complete():
    body = body_of([b"first", b"second"])
    assert taken_apart(body[:-10], []) == ([b"first"], False)


def test_only_a_few_bytes_are_kept_between_pieces():
    parser = MultipartBody("edge")
    list(parser.feed(b"--edge\r\n\r\n"))
    for _ in range(100):
        list(parser.feed(b"\r\n--edgy" * 1000))
        assert len(parser._waiting) < 10


@pytest.mark.parametrize("boundary", ["", "x" * 71, "with\nline", "trailing "])
def test_a_boundary_that_may_not_be_is_refused(boundary):
    with pytest.raises(BadMultipart, match="boundary"):
        MultipartBody(boundary)


def test_headers_without_end_and_bodies_without_boundary_are_refused():
    with pytest.raises(BadMultipart, match="16 KB"):
        list(MultipartBody("edge").feed(b"--edge\r\n" + b"a" * HEADERS_BYTES_MAX))
    with pytest.raises(BadMultipart, match="does not begin"):
        list(MultipartBody("edge").feed(b"a" * 100_000))


def test_media_types_are_read_with_their_quoted_parameters():
    header = 'Multipart/Related; type="application/dicom"; boundary="a;b=c\\"d"'
    assert media_type(header) == ("multipart/related", {"type": "application/dicom", "boundary": 'a;b=c"d'})
