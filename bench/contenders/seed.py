"""The design that Gantry comes from: Flask keeps the file and sends its ID to RabbitMQ over a connection of its own.

It waits for no confirm, and the file is not synced: an upload that it has answered can still be lost.
"""

import os
from pathlib import Path
from uuid import uuid4

import pika
from flask import Flask, request

app = Flask(__name__)
images = Path(os.environ["IMAGES_DIR"])


@app.post("/upload")
def upload():
    image_id = str(uuid4())
    request.files["image"].save(images / image_id)
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    channel = connection.channel()
    channel.queue_declare(queue="images", durable=True)
    persistent = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
    channel.basic_publish("", "images", image_id, persistent)
    connection.close()
    return {"message": "Image uploaded", "correlation_id": image_id}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
