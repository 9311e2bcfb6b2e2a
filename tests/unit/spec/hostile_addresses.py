"""Hostile names of mailboxes, domains and targets of aliases."""

from __future__ import annotations

from tests.unit.spec.hostile_case import Case


def _mailbox(key: str, says: str, *, name: str = "") -> Case:
    text = f"site: evil.example\nhost: mail1\nmailboxes:\n  {key}: {{name: x}}\n"
    return Case(f"mailbox {name or key}"[:40], text, 4, says)


def _alias(target: str, says: str) -> Case:
    text = f"site: evil.example\nhost: mail1\naliases:\n  info: [anna@acme.example, {target}]\n"
    return Case(f"alias {target}"[:40], text, 4, says)


def _site(domain: str, says: str) -> Case:
    return Case(f"site {domain}"[:40], f"site: {domain}\nhost: mail1\n", 1, says)


LONG = "a" * 65

MAILBOXES = [
    _mailbox('"evil\\nceo@lab.test attacker@evil.test x"', "line break", name="newline"),
    _mailbox('"a\\rb"', "line break", name="carriage return"),
    _mailbox('"a\\0b"', "NUL", name="nul"),
    _mailbox('"a\\tb"', "a tab", name="tab"),
    _mailbox("john smith", "letters, digits"),
    _mailbox('"#boss"', "letters, digits"),
    _mailbox('""', "is empty", name="empty"),
    _mailbox("café", "ASCII"),
    _mailbox("cafe\u0301", "ASCII", name="decomposed"),
    _mailbox("straße", "ASCII"),
    _mailbox("ﬁn", "ASCII"),
    _mailbox("ｉｎｆｏ", "ASCII"),
    _mailbox("\u212aim", "ASCII", name="kelvin sign"),
    _mailbox('"a\\u200bb"', "U+200B", name="zero width"),
    _mailbox('"a\\u202eb"', "U+202E", name="bidi"),
    _mailbox('"a\\u00adb"', "U+00AD", name="soft hyphen"),
    _mailbox(LONG, "at most 64"),
    _mailbox("a..b", "a dot stands only"),
    _mailbox(".a", "a dot stands only"),
    _mailbox("a.", "a dot stands only"),
    _mailbox('"."', "a dot stands only"),
    _mailbox('".."', "a dot stands only"),
    _mailbox(".Trash", "a dot stands only"),
    _mailbox('"bob@x:{PLAIN}pw::::"', "whole address"),
    _mailbox('"bob:x"', "letters, digits"),
    _mailbox("-oProxyCommand=x", "letters, digits"),
    _mailbox("-a", "does not start with"),
    _mailbox("a+b", "letters, digits"),
    _mailbox("provision-probe", "reserved"),
    _mailbox("Provision-Probe", "reserved"),
    _mailbox("anna@blue.example", "whole address"),
    _mailbox("'$(id)'", "letters, digits"),
    _mailbox("'`id`'", "letters, digits"),
    _mailbox("true", "does not read the key"),
    _mailbox("null", "does not read the key"),
    _mailbox("010", "does not read the key"),
    _mailbox("? [a]\n  ", "plain text", name="list as key"),
    _mailbox("{{ x }}", "plain text"),
    _mailbox("*x ", "anchor"),
    _mailbox("a/../b", "letters, digits"),
]

DOMAINS = [
    _site('"a; rm -rf /"', "label"),
    _site('"$(id).example"', "label"),
    _site("'`id`.example'", "label"),
    _site("-oProxyCommand=x.example", "label"),
    _site("-a.example", "label"),
    _site("'*.acme.example'", "label"),
    _site("'~^(.*)$'", "label"),
    _site("default_server", "two labels"),
    _site('"x.example; return 200;"', "label"),
    _site("lost+found", "two labels"),
    _site("a..example", "label"),
    _site(f"{'a' * 64}.example", "label"),
    _site(".".join(["a" * 60] * 5), "253"),
    _site(".".join(["a" * 60] * 4) + ".bc.example"[:9], "longer than a name"),
    _site("192.0.2.1", "not a number"),
    _site("/etc/passwd", "two labels"),
    _site("..", "label"),
    _site('"acme.example\\nx"', "line break"),
    _site("acme.example.", "has an owner already"),
    _site("ACME.example", "has an owner already"),
    _site("webmail.acme.example", "serves another site"),
    _site("autoconfig.acme.example", "serves another site"),
    _site("x.mta-sts.acme.example", "serves another site"),
    _site("mail1.host.example", "is the name of the host"),
    _site("ａcme.example", "only looks like ASCII"),
    _site("xn--a.example", "no valid name"),
    _site("ab--cd.example", "third place"),
    _site("a_b.example", "label"),
    _site("☃.example", "no international domain"),
    _site("no", "two labels"),
    _site("12.5", "not text"),
    _site("[a.example]", "list or mapping"),
    _site("{{ ''.__class__ }}", "plain text"),
    _site("http://acme.example", "label"),
]

TARGETS = [
    _alias('"alice@lab.test\\nceo@lab.test a@evil.test"', "line break"),
    _alias("/etc/passwd", "never to files"),
    _alias("/dev/null", "never to files"),
    _alias('":include:/etc/shadow"', "never to files"),
    _alias('"|/bin/sh"', "never to files"),
    _alias("'\"|/bin/sh\"@x.example'", "letters, digits"),
    _alias('"/etc/passwd@x.example"', "letters, digits"),
    _alias('"a@b.example, c@d.example"', "letters, digits"),
    _alias('"a b@c.example"', "letters, digits"),
    _alias('"@acme.example"', "is empty"),
    _alias('"a@[127.0.0.1]"', "label"),
    _alias('"$x@acme.example"', "letters, digits"),
    _alias('"a%b@acme.example"', "letters, digits"),
    _alias('"a!b@acme.example"', "letters, digits"),
    _alias("nobody@acme.example", "no mailbox or alias"),
    _alias("nobody", "no mailbox or alias"),
    _alias("info", "leads to itself"),
    _alias("info+x", "letters, digits"),
    _alias("info+x@evil.example", "leads to itself"),
    _alias("root@mail1.host.example", "takes no mail"),
    _alias("anna@webmail.acme.example", "takes no mail"),
    _alias("anna@ACME.example", "named twice"),
    _alias("[a]", "list or mapping"),
    _alias("!secret acme/anna", "does not belong here"),
    _alias("7", "not text"),
]
