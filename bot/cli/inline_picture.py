"""A picture in the terminal itself, where the terminal can show one.

kitty's graphics protocol: https://sw.kovidgoyal.net/kitty/graphics-protocol/
iTerm2's inline images: https://iterm2.com/documentation-images.html
"""

import base64
from collections.abc import Iterator, Mapping

CHUNK = 4096
"""Most characters of one escape sequence that kitty takes."""


def protocol_of(environment: Mapping[str, str]) -> str:
    """`kitty`, `iterm` or an empty string, by what the terminal says of itself."""
    if environment.get("TMUX"):
        return ""  # it does not pass the sequences on
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") == "xterm-kitty":
        return "kitty"
    if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm"):
        return "iterm"
    return "iterm" if environment.get("LC_TERMINAL") == "iTerm2" else ""


def escape_sequences(png: bytes, protocol: str) -> str:
    """What shows this PNG; empty where the protocol is none."""
    data = base64.b64encode(png).decode("ascii")
    if protocol == "kitty":
        return "".join(_kitty(data)) + "\n"
    if protocol == "iterm":
        return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{data}\x07\n"
    return ""


def _kitty(data: str) -> Iterator[str]:
    for start in range(0, len(data), CHUNK):
        more = int(start + CHUNK < len(data))
        control = f"a=T,f=100,m={more}" if start == 0 else f"m={more}"
        yield f"\x1b_G{control};{data[start : start + CHUNK]}\x1b\\"
