import socket

import pytest

from utils.serving.address import Address, address_of, open_door
from utils.words.errors import ConfigError, ResourceError


@pytest.mark.parametrize(
    "text, host, port, loopback",
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000, True),
        ("9000", "127.0.0.1", 9000, True),
        (":9000", "127.0.0.1", 9000, True),
        ("localhost", "localhost", 8000, True),
        ("[::1]:80", "::1", 80, True),
        ("::1", "::1", 8000, True),
        ("127.9.9.9:1", "127.9.9.9", 1, True),
        ("0.0.0.0:8000", "0.0.0.0", 8000, False),
        ("192.168.1.5:8000", "192.168.1.5", 8000, False),
        ("line-pc.local:8000", "line-pc.local", 8000, False),
        ("localhost.evil.example:8000", "localhost.evil.example", 8000, False),
    ],
)
def test_hosts_and_ports(text, host, port, loopback):
    address = address_of(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert len(address.token) == (0 if loopback else 43)  # 32 bytes of base64: nobody guesses those
    assert not address.token or address.token not in repr(address)


@pytest.mark.parametrize(
    "text",
    ["a b:1", "host:65536", "host:x", "host:-1", "http://host:80", "host:80/x", "[::1", "a:b:c", "\0:1", "999999"],
)
def test_what_is_no_address(text):
    with pytest.raises(ConfigError, match=r"^--serve .*: must be HOST:PORT, such as 127\.0\.0\.1:8000$"):
        address_of(text)


def test_tokens_differ_and_come_from_files(tmp_path):
    assert address_of("0.0.0.0").token != address_of("0.0.0.0").token
    file = tmp_path / "token"
    file.write_text("abcdefgh-12345678\n")
    assert address_of("127.0.0.1", str(file)).token == "abcdefgh-12345678"  # other users of this machine, too
    for content in ("short", "with a blank in the middle", "two-lines-of-them\ntwo-lines-of-them", "é" * 20, "a;b" * 9):
        file.write_text(content)
        with pytest.raises(ConfigError, match=r"^--token-file .*; write "):
            address_of("127.0.0.1", str(file))
    with pytest.raises(ConfigError, match="cannot be read"):
        address_of("127.0.0.1", str(tmp_path / "none"))


@pytest.mark.parametrize(
    "address, answered, refused",
    [
        (
            Address("127.0.0.1", 8000),
            ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"],
            ["127.0.0.1", "127.0.0.1:80", "evil.example:8000", "", ":8000", "127.0.0.1:8000@evil", "127.0.0.1:08000"],
        ),
        (Address("127.0.0.1", 80), ["127.0.0.1", "localhost", "127.0.0.1:80"], ["127.0.0.1:8000", "evil.example"]),
        (Address("line-pc", 8000), ["line-pc:8000", "Line-PC:8000"], ["localhost:8000", "192.168.1.5:8000"]),
        (
            Address("0.0.0.0", 8000),
            ["192.168.1.5:8000", "[fe80::1]:8000", "127.0.0.1:8000", f"{socket.gethostname()}:8000"],
            ["evil.example:8000", "192.168.1.5.evil.example:8000", "192.168.1.5:1"],
        ),
    ],
)
def test_names_that_it_answers_to(address, answered, refused):
    assert all(address.answers_to(host) for host in answered)
    assert not any(address.answers_to(host) for host in refused)


def test_a_port_in_use_is_said_before_anything_else():
    door = open_door(Address(port=0))
    try:
        port = door.getsockname()[1]
        with pytest.raises(ResourceError) as raised:
            open_door(Address(port=port))
        assert str(raised.value) == f"port {port} is in use; --serve 127.0.0.1:{port + 1}"
    finally:
        door.close()
    with pytest.raises(ResourceError, match="give an address of this machine"):
        open_door(Address("192.0.2.1", 8000))  # of nobody's machine: kept for documents
