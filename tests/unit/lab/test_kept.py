"""What the world's mail servers keep is read back as it was sent."""

import subprocess
import sys
from pathlib import Path

from provision.lab.world import keep_message
from provision.lab.world.kept import read_kept

MESSAGE = (
    b"X-Lab-Recipient: a@home.example\n"
    b"X-Lab-Recipient: b@home.example\n"
    b"From: c@acme.example\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
    b"Content-Type: text/plain; charset=utf-8\n"
    b"Content-Transfer-Encoding: 8bit\n"
    b"\n"
    b"X-Lab-Recipient: in the body\n\xc3\xa9\n"
)


def _keep(folder: Path, *fields: str) -> None:
    script = [sys.executable, "-I", keep_message.__file__, str(folder), *fields]
    subprocess.run(script, input=MESSAGE, check=True)


def test_envelope_login_and_message_come_back(tmp_path: Path) -> None:
    about = ["sender=c@acme.example", "client_address=198.18.0.11", "client_name=m", "helo=m"]
    _keep(tmp_path, "login=me", *about)
    (kept,) = read_kept(tmp_path)
    assert kept.recipients == ("a@home.example", "b@home.example")
    assert (kept.login, kept.sender, kept.client_address) == (
        "me",
        "c@acme.example",
        "198.18.0.11",
    )
    assert kept.subject == "Grüße"
    assert kept.message["X-Lab-Recipient"] is None
    assert kept.message.get_content() == "X-Lab-Recipient: in the body\né\n"


def test_messages_are_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    about = ["sender=", "client_address=", "client_name=", "helo=", "recipient=x@home.example"]
    for login in ("first", "second"):
        _keep(tmp_path, f"login={login}", *about)
    assert [kept.login for kept in read_kept(tmp_path)] == ["first", "second"]
