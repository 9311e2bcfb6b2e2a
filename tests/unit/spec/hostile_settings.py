"""Hostile settings of mailboxes and smarthosts, and keys without a value."""

from __future__ import annotations

from tests.unit.spec.hostile_case import Case


def _body(body: str, says: str, name: str, *, hint: str = "") -> Case:
    text = f"site: evil.example\nhost: mail1\nmailboxes:\n  bob: {body}\n"
    return Case(name, text, 4, says, hint=hint)


def _smarthost(body: str, says: str, name: str) -> Case:
    text = (
        "fleet: test\nhosts: {mail1: {address: 192.0.2.10, fqdn: mail1.host.example,"
        f" release: debian13}}}}\nsmarthosts:\n  isp: {{{body}}}\ndefaults: {{outgoing: isp}}\n"
    )
    return Case(f"smarthost {name}", text, 4, says, file="fleet.yml")


HASH = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" + "r" * 43

BODIES = [
    _body(
        "{password: hunter2-hunter2}",
        "never stands in the spec",
        "plain password",
        hint="ansible-vault",
    ),
    _body("{password: [a]}", "never stands in the spec", "password list"),
    _body("{password: !secret nope}", "no secret 'nope'", "missing secret", hint="ansible-vault"),
    _body("{password: !secret 'a b'}", "not the name of a secret", "secret name"),
    _body("{password: !secret ''}", "not the name of a secret", "empty secret name"),
    _body("{password: !secret ../x}", "not the name of a secret", "secret path"),
    _body("{password: !secret fingerprint_key}", "no secret", "the fingerprint key"),
    _body("{password: !secret acme}", "is not text", "secret that is a mapping"),
    _body("{password: }", "no value", "password without value"),
    _body("{password_hash: '{PLAIN}secret'}", "not taken", "plain scheme"),
    _body("{password_hash: '{MD5-CRYPT}$1$x$y'}", "not taken", "weak scheme"),
    _body("{password_hash: '{CLEAR}x'}", "not taken", "clear scheme"),
    _body("{password_hash: hunter2-hunter2}", "starts with its scheme", "hash without scheme"),
    _body(f"{{password_hash: '{{ARGON2ID}}{HASH}:uid=0'}}", "not a complete", "colon in hash"),
    _body(
        f"{{password_hash: '{{ARGON2ID}}{HASH} userdb_uid=0'}}", "not a complete", "space in hash"
    ),
    _body(f'{{password_hash: "{{ARGON2ID}}{HASH}\\nx"}}', "line break", "line break in hash"),
    _body(
        "{password_hash: '{ARGON2ID}" + HASH.replace("m=65536", "m=9999999") + "'}",
        "out of bounds",
        "hash that eats the memory",
    ),
    _body("{password_hash: '{BLF-CRYPT}$2y$31$" + "a" * 53 + "'}", "out of bounds", "slow hash"),
    _body("{quota: 3X}", "a size is", "quota unit"),
    _body("{quota: -1}", "a size is", "negative quota"),
    _body("{quota: 0}", "between 1 byte", "zero quota"),
    _body("{quota: 9999T}", "between 1 byte", "huge quota"),
    _body("{quota: 1_000}", "a size is", "underscored quota"),
    _body("{quota: 12:30:45}", "a size is", "sexagesimal quota"),
    _body("{quota: '٣G'}", "a size is", "quota in other digits"),
    _body("{imap: yes}", "true or false", "yes is text"),
    _body("{pop3: {after_download: delete}}", "not supported by this version", "pop3 policy"),
    _body("{retrieve: []}", "not supported by this version", "retrieve"),
    _body("{send_only: true}", "not supported by this version", "send_only"),
    _body("{pasword: !secret x}", "'pasword' is not known", "misspelt key", hint="did you mean"),
    _body("{name: 2024-01-01, Name: x}", "'Name' is not known", "key in capitals"),
    _body('{name: "a\\u202eb"}', "U+202E", "bidi in display name"),
    _body('{name: "a\\tuserdb_uid=0"}', "a tab", "tab in display name"),
    _body('{name: "a\\r\\nBcc: x@y.example"}', "line break", "header in display name"),
    _body('{name: "a\\u3164b"}', "U+3164", "invisible letter in display name"),
    _body('{name: "\\x1b[31mred"}', "U+001B", "terminal escape in display name"),
    _body(f"{{name: {'n' * 101}}}", "limit is 100", "long display name"),
    _body(f"{{name: {'n' * 5_000_000}}}", "limit is 4096", "five megabytes of name"),
    _body("{name: ' a'}", "starts or ends", "space before display name"),
    _body("{name: 2024}", "not text", "number as display name"),
    _body("{aliases: [b b]}", "letters, digits", "alias with space"),
    _body("{aliases: [bob]}", "has an owner already", "alias that is the mailbox"),
    _body("{aliases: [x@y.example]}", "whole address", "alias with domain"),
    _body(
        f"{{aliases: [{', '.join(f'a{n}' for n in range(501))}]}}", "more than 500", "many aliases"
    ),
    _body("{forward: {to: []}}", "at least 1", "forward to nobody"),
    _body("{forward: {to: [bob]}}", "leads to itself", "forward to itself"),
    _body("{forward: {to: ['|x@y.example']}}", "letters, digits", "forward to a program"),
    _body("{forward: {to: x@y.example}}", "takes a list", "forward without list"),
    _body("{forward: {keep_copy: true}}", "is missing", "forward without target"),
    _body("!!python/object/apply:os.system [id]", "is not used in a spec", "python tag"),
    _body("!!binary aGk=", "is not used in a spec", "binary tag"),
    _body("&x {aliases: *x}", "inside of what", "alias of itself"),
    _body("{<<: {imap: true}}", "merge keys", "merge key"),
    _body("hunter2-hunter2", "takes a mapping", "text as mailbox"),
    _body("[" * 3000, "nesting is deeper", "3000 brackets"),
    _body("- " * 3000, "not YAML", "3000 lists in a flow line"),
    _body("{" * 3000, "plain text", "3000 braces"),
    _body("{name: @x}", "not YAML", "reserved character"),
    _body("{!secret name: x}", "is not used in a spec", "tag on a key"),
    _body("{imap: 1}", "true or false", "number as truth value"),
    _body("{forward: {to: [a@раypal.example], keep_copy: 1}}", "true or false", "number as copy"),
]

SMARTHOSTS = [
    _smarthost("host: 127.0.0.1, username: a, password: !secret isp", "not a number", "loopback"),
    _smarthost("host: localhost, username: a, password: !secret isp", "two labels", "localhost"),
    _smarthost("host: x.localhost, username: a, password: !secret isp", "of this machine", "x.lo"),
    _smarthost("host: 169.254.169.254, username: a, password: !secret isp", "not a number", "meta"),
    _smarthost('host: "[::1]", username: a, password: !secret isp', "two labels", "ipv6"),
    _smarthost("host: mail1.host.example, username: a, password: !secret isp", "circles", "self"),
    _smarthost("host: $myhostname, username: a, password: !secret isp", "two labels", "variable"),
    _smarthost("host: '${x}.example', username: a, password: !secret isp", "label", "expansion"),
    _smarthost(
        'host: "smtp.x.example\\nmynetworks = 0.0.0.0/0", username: a, password: !secret isp',
        "line break", "line",
    ),
    _smarthost("host: smtp.x.example, username: 'a:b', password: !secret isp", "colon", "colon"),
    _smarthost("host: smtp.x.example, username: 'a ', password: !secret isp", "space", "space"),
    _smarthost("host: smtp.x.example, username: '', password: !secret isp", "255", "no login"),
    _smarthost("host: smtp.x.example, username: a, password: hunter2", "never stands", "password"),
    _smarthost("host: smtp.x.example, username: a", "is missing", "no password"),
    _smarthost(
        "host: smtp.x.example, tls: none, username: a, password: !secret isp", "cannot be", "tls"
    ),
    _smarthost(
        "host: smtp.x.example, tls: may, username: a, password: !secret isp", "cannot be", "tls2"
    ),
    _smarthost(
        "host: smtp.x.example, tls: [verify], username: a, password: !secret isp", "a list", "list"
    ),
    _smarthost(
        "host: smtp.x.example, tls: !secret isp, username: a, password: !secret isp",
        "a secret", "tls secret",
    ),
    _smarthost(
        "host: smtp.x.example, port: 65536, username: a, password: !secret isp", "larger", "port"
    ),
    _smarthost(
        "host: smtp.x.example, port: 0, username: a, password: !secret isp", "smaller", "port 0"
    ),
    _smarthost(
        "host: smtp.x.example, port: '25', username: a, password: !secret isp", "whole", "port text"
    ),
]  # fmt: skip

START = "site: evil.example\nhost: mail1\n"
EMPTY = [
    Case("mailboxes without any", START + "mailboxes:\n", 3, "'mailboxes' is empty"),
    Case("webmail without any", START + "webmail:\n", 3, "'webmail' is empty"),
    Case("aliases without any", START + "aliases:  # none\n", 3, "'aliases' is empty"),
    Case("alias without target", START + "aliases:\n  info:\n", 4, "'info' is empty"),
    Case("outgoing without value", START + "outgoing: ~\n", 3, "no value"),
    Case("catch_all without value", START + "catch_all: null\n", 3, "no value"),
    Case("list of nothing", START + "domain_aliases: [null]\n", 3, "no value"),
]
