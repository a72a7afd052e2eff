"""Celery's worker: `celery --app celery_pets worker`."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import worker_process_init

from pets import Pets, tensor_of_bytes

app = Celery("pets", broker=os.environ["AMQP_URL"], backend=os.environ["REDIS_URL"])
# https://docs.celeryq.dev/en/stable/userguide/optimizing.html#reserve-one-task-at-a-time
app.conf.task_acks_late = True
app.conf.worker_prefetch_multiplier = 1

pets: Pets


# A session that was made before the fork would not work behind it.
@worker_process_init.connect
def load(**_) -> None:
    global pets
    pets = Pets()


@app.task(name="classify")
def classify(path: str) -> str:
    return pets.labels([tensor_of_bytes(Path(path).read_bytes())])[0]
