"""The pages that someone sees who installs the app: small, without scripts, kept by no cache."""

from html import escape

from starlette.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds Slack's code
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Housestyle</title>
<style>
:root {{ color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 34rem; margin: 12vh auto; padding: 0 1.2rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.2; }}
a.go {{ display: inline-block; padding: .55rem 1rem; border-radius: .4rem; background: #0f6b5c;
  color: #fff; text-decoration: none; }}
a.go:focus-visible {{ outline: 3px solid; outline-offset: 2px; }}
</style></head>
<body><main><h1>{title}</h1>
{lines}
{link}</main></body></html>
"""


def page(
    title: str, *lines: str, link: tuple[str, str] | None = None, status: int = 200
) -> HTMLResponse:
    """A page with these sentences and a link (address, words); all texts are escaped."""
    told = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
    button = f'<p><a class="go" href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    html = _FRAME.format(title=escape(title), lines=told, link=button)
    return HTMLResponse(html, status_code=status, headers=_HEADERS)
