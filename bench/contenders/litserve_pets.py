"""LitServe: answers with the label, keeps nothing."""

import os

import litserve
import numpy

from pets import Pets, tensor_of_bytes


class PetsAPI(litserve.LitAPI):
    def setup(self, device) -> None:
        self.pets = Pets()

    def decode_request(self, request) -> numpy.ndarray:
        return tensor_of_bytes(request["image"].file.read())

    def batch(self, inputs) -> list[numpy.ndarray]:
        return inputs

    def predict(self, inputs) -> list[str]:
        return self.pets.labels(inputs)

    def unbatch(self, output) -> list[str]:
        return output

    def encode_response(self, output) -> dict[str, str]:
        return {"label": output}


if __name__ == "__main__":
    # https://lightning.ai/docs/litserve/features/batching
    api = PetsAPI(max_batch_size=int(os.environ["MAX_BATCH"]), batch_timeout=0.01)
    # As many workers as cores where there is no GPU, and as many web servers:
    # https://lightning.ai/docs/litserve/api-reference/litserver
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=int(os.environ["WORKERS"]))
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="warning")
