"""BentoML: `bentoml serve bentoml_pets:PetsService`. Answers with the label, keeps nothing."""

import os

import bentoml
from PIL.Image import Image

from pets import Pets, tensor_of


# As many workers as cores: https://docs.bentoml.com/en/latest/build-with-bentoml/parallelize-requests.html
@bentoml.service(workers=int(os.environ["WORKERS"]))
class PetsService:
    def __init__(self) -> None:
        self.pets = Pets()

    # https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html
    @bentoml.api(route="/upload", batchable=True, max_batch_size=int(os.environ["MAX_BATCH"]))
    def classify(self, image: list[Image]) -> list[str]:
        return self.pets.labels([tensor_of(one) for one in image])
