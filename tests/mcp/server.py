"""An MCP server of the official SDK, for the tests of our client.

    server.py stdio
    server.py http [TOKEN]     prints its port; with a token, wants it as a bearer
"""

import asyncio
import socket
import sys

import uvicorn
from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel

server = MCPServer("holidays", log_level="CRITICAL")


class Holiday(BaseModel):
    name: str
    date: str


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def list_holidays(country: str, year: int = 2026) -> list[Holiday]:
    """Public holidays of a country."""
    return [Holiday(name=f"New Year in {country}", date=f"{year}-01-01")]


@server.tool(structured_output=False)
def greet(name: str) -> str:
    """Says hello."""
    return f"Grüß Gott, {name} 👋"


@server.tool()
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "awake"


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("the calendar is closed")


@server.tool(structured_output=False)
def flood(size: int) -> str:
    """Answers with so many letters."""
    return "x" * size


@server.tool()
def quit() -> str:
    """Ends the server in the middle of the call."""
    import os

    os._exit(3)


def guarded(app, token):
    async def check(scope, receive, send):
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != f"Bearer {token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return check


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app()
    if len(sys.argv) > 2:
        app = guarded(app, sys.argv[2])
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
