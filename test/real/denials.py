"""What a client of the Python SDK makes of denials: python3 denials.py, with the work as JSON on standard input."""

import asyncio
import json
import sys
from importlib.metadata import version


def outcome(result):
    is_error = getattr(result, "isError", None)
    if is_error is None:
        is_error = result.is_error
    return {"kind": "tool error" if is_error else "result", "text": result.content[0].text}


def failure(thrown):
    while isinstance(thrown, BaseExceptionGroup):
        thrown = thrown.exceptions[0]
    error = getattr(thrown, "error", None)
    code = getattr(error, "code", None)
    text = str(thrown) if error is None else error.message
    return {"kind": "error", "class": type(thrown).__name__, "code": code, "text": text}


async def calls(session, work, seen):
    for tool in work["tools"]:
        try:
            seen.append(outcome(await session.call_tool(tool, {})))
        except Exception as thrown:  # noqa: BLE001 - whatever it is, it is what the caller gets
            seen.append(failure(thrown))


async def with_v1(work, seen):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(work["url"], headers=work["headers"]) as (read, write, _):
        async with ClientSession(read, write) as session:
            answer = await session.initialize()
            seen.append(answer.protocolVersion)
            await calls(session, work, seen)


async def with_v2(work, seen):
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async with httpx2.AsyncClient(headers=work["headers"], timeout=20) as http:
        async with Client(streamable_http_client(work["url"], http_client=http), mode=work["mode"]) as client:
            seen.append(client.session.protocol_version)
            await calls(client, work, seen)


async def run(work):
    seen = []
    connect = with_v1 if version("mcp").startswith("1.") else with_v2
    try:
        await asyncio.wait_for(connect(work, seen), 20)
    except BaseException as thrown:  # noqa: BLE001 - a session that dies takes its caller's block with it
        seen.append({**failure(thrown), "kind": "session dies"})
    return seen


for line in sys.stdin:
    print(json.dumps(asyncio.run(run(json.loads(line)))), flush=True)
