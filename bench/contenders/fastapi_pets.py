"""The web server in front of Celery: `uvicorn fastapi_pets:web --workers N`."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

from celery import Celery
from fastapi import FastAPI, UploadFile
from fastapi.responses import StreamingResponse
from redis.asyncio import Redis

web = FastAPI()
images = Path(os.environ["IMAGES_DIR"])

# No result backend here: with Redis as one, each task that is sent would subscribe to its own result.
celery = Celery("pets", broker=os.environ["AMQP_URL"])
# As what is not confirmed may be lost:
# https://docs.celeryq.dev/en/stable/userguide/configuration.html#broker-transport-options
celery.conf.broker_transport_options = {"confirm_publish": True}


# `def`, not `async def`: what waits for a disk or a broker belongs into the thread pool.
# https://fastapi.tiangolo.com/async/#path-operation-functions
@web.post("/upload", status_code=202)
def upload(image: UploadFile) -> dict[str, str]:
    path = images / f"{uuid4()}.jpg"
    with path.open("wb") as file:
        shutil.copyfileobj(image.file, file)
    return {"id": celery.send_task("classify", [str(path)]).id}


# What Celery publishes in Redis when a task ends, passed on: cheaper than to be asked for each task again and again.
@web.get("/events")
async def events() -> StreamingResponse:
    subscription = Redis.from_url(os.environ["REDIS_URL"]).pubsub()
    await subscription.psubscribe("celery-task-meta-*")

    async def stream():
        async for message in subscription.listen():
            if message["type"] == "pmessage":
                yield f"event: ended\ndata: {message['data'].decode()}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")
