"""Which password hashes are taken: strong schemes of Dovecot, well formed, of bounded cost.

Schemes and their forms: Dovecot documentation, "Password schemes"; crypt(5). The exact form is
checked because a hash becomes a field of a passwd-file, where a colon or a space starts another.
"""

from __future__ import annotations

import re

from provision.spec.wrong import WrongError

_B64 = r"[A-Za-z0-9+/]"
_CRYPT64 = r"[A-Za-z0-9./]"
_ARGON = (
    r"v=19\$m=(?P<memory>[0-9]{1,7}),t=(?P<passes>[0-9]{1,3}),p=[1-9][0-9]?"
    rf"\${_B64}{{11,86}}\${_B64}{{22,172}}"
)
_FORMS = {
    "ARGON2ID": re.compile(r"\$argon2id\$" + _ARGON),
    "ARGON2I": re.compile(r"\$argon2i\$" + _ARGON),
    "BLF-CRYPT": re.compile(rf"\$2[aby]\$(?P<rounds_log2>[0-9]{{2}})\${_CRYPT64}{{53}}"),
    "SHA512-CRYPT": re.compile(
        rf"\$6\$(?:rounds=(?P<rounds>[0-9]{{4,8}})\$)?{_CRYPT64}{{1,16}}\${_CRYPT64}{{86}}"
    ),
    "SHA256-CRYPT": re.compile(
        rf"\$5\$(?:rounds=(?P<rounds>[0-9]{{4,8}})\$)?{_CRYPT64}{{1,16}}\${_CRYPT64}{{43}}"
    ),
    "PBKDF2": re.compile(rf"\$1\${_CRYPT64}{{8,64}}\$(?P<rounds>[0-9]{{4,8}})\$[0-9a-f]{{40}}"),
}
_HIGHEST = {"memory": 1_048_576, "passes": 64, "rounds_log2": 16, "rounds": 10_000_000}
"""Cost above which one login could keep a host busy; memory in KiB."""
_LOWEST = {"memory": 8, "passes": 1, "rounds_log2": 4, "rounds": 1000}
_SCHEME = re.compile(r"\{([A-Za-z0-9.-]{1,30})\}(.*)", re.DOTALL)
_HOW = "make one with: doveadm pw -s ARGON2ID"


def parse_password_hash(text: str) -> str:
    """The hash, its scheme in upper case; raises WrongError, which never repeats the text."""
    match = _SCHEME.fullmatch(text)
    if not match:
        raise WrongError("a hash starts with its scheme, as in {ARGON2ID}", hint=_HOW)
    scheme = match[1].upper()
    if scheme not in _FORMS:
        raise WrongError(
            f"the scheme {{{scheme}}} is not taken",
            hint=f"strong ones are {', '.join(sorted(_FORMS))}; {_HOW}",
        )
    form = _FORMS[scheme].fullmatch(match[2])
    if not form:
        raise WrongError(f"this is not a complete {{{scheme}}} hash", hint=_HOW)
    for name, value in form.groupdict().items():
        if value is not None and not _LOWEST[name] <= int(value) <= _HIGHEST[name]:
            raise WrongError(
                f"the cost of the hash ({name}={int(value)}) is out of bounds",
                hint=f"between {_LOWEST[name]} and {_HIGHEST[name]}",
            )
    return f"{{{scheme}}}{match[2]}"
