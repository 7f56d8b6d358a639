"""The floor of the server: raw ASGI with a constant answer.  python asgi_constant.py FOLDER PORT"""

import sys
from typing import Any

import uvicorn

BODY = b'{"prediction":0,"probability":0.25}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning", lifespan="off")
