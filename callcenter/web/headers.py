"""The headers of every answer, on the web's port and on that of the figures.

Promises: no answer names the program's parts or versions, and none may be framed, sniffed or kept. Never: knows a
person.
"""

from aiohttp import web

SERVER = "callcenter"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": SERVER,
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare`` of an application."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
    if request.path.startswith("/static/") and response.status in (200, 206, 304):
        response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
