import asyncio

import pytest

from utils.page.refusal import Refused
from utils.serving.bodies import Body, Patience

START = {"type": "http.response.start", "status": 413, "headers": []}
ANSWER = {"type": "http.response.body", "body": b"too much"}


class Channel:
    """Parts that come, and what is sent."""

    def __init__(self, *parts):
        self.parts, self.sent = list(parts), []

    async def receive(self):
        if not self.parts:
            await asyncio.Event().wait()
        more = self.parts.pop(0)
        return {"type": "http.request", "body": b"x", "more_body": more}

    async def send(self, message):
        self.sent.append(message)


def serve(channel, headers, story, patience=None):
    async def run():
        await story(Body(headers, channel.receive, channel.send, patience or Patience(0.05, 0.05, 0.05)))

    asyncio.run(run())


def test_an_early_answer_is_sent_and_the_rest_is_read_before_the_connection_is_closed():
    channel = Channel(True, True, False)

    async def story(body):
        await body.receive()
        await body.send(START)
        await body.send(ANSWER)

    serve(channel, {b"content-length": b"3"}, story)
    start, answer, end = channel.sent
    assert start["headers"] == [(b"connection", b"close")]
    assert (answer["body"], answer["more_body"]) == (b"too much", True)  # the client has it before the rest is read
    assert end == {"type": "http.response.body", "body": b""} and channel.parts == []


def test_a_rest_that_never_comes_is_not_waited_for():
    channel = Channel(True)

    async def story(body):
        await body.send(START)
        await body.send(ANSWER)

    serve(channel, {b"transfer-encoding": b"chunked"}, story)
    assert len(channel.sent) == 3


def test_an_answer_to_a_whole_request_is_left_as_it_is():
    channel = Channel(False)

    async def story(body):
        assert (await body.receive())["more_body"] is False
        await body.send(START)
        await body.send(ANSWER)

    serve(channel, {b"content-length": b"1"}, story)
    assert channel.sent == [START, ANSWER]
    channel = Channel()

    async def nothing(body):
        await body.send(START)
        await body.send(ANSWER)

    serve(channel, {b"content-length": b"0"}, nothing)
    assert channel.sent == [START, ANSWER]


def test_a_body_that_stalls():
    async def story(body):
        await body.receive()
        await body.receive()

    with pytest.raises(Refused, match="took too long") as refused:
        serve(Channel(True), {b"content-length": b"2"}, story)
    assert refused.value.status == 408
