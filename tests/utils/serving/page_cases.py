"""What the tests of the page share: a stand-in for a detector, a server on this machine, a browser without a screen."""

import http.client
import json
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from utils.page.desk import Desk
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.heat import Heat
from utils.words.errors import DataError, printable

WRITES = {"X-Requested-By": "page"}
JSON = {**WRITES, "Content-Type": "application/json"}
# scores on the sides of the threshold 0.25 of a desk without thresholds; 10 px apart
BOXES = [[10.0, 20.0, 50.0, 60.0], [100.0, 20.0, 140.0, 60.0], [10.0, 100.0, 50.0, 140.0]]
SCORES, LABELS = [0.9, 0.3, 0.1], [0, 1, 1]


class Optics:
    def show(self, image):
        return np.ascontiguousarray(image[..., :3])


class StandIn:
    """Finds the same in every picture that is not black; blocks while `gate` is closed."""

    def __init__(self, names=("scratch", "hole")):
        self.names, self.own, self.limits, self.optics = names, len(names), None, Optics()
        self.gate = threading.Event()
        self.gate.set()
        self.asked = []

    def read(self, path):
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB) if Path(path).stat().st_size else None
        if image is None:
            raise DataError(f"{printable(str(path))}: is not a picture; replace or remove it")
        return image

    def faint(self, image, conf):
        assert self.gate.wait(20)
        kept = 3 if image.any() else 0
        boxes, scores, labels = BOXES[:kept], SCORES[:kept], LABELS[:kept]
        return Detections(
            torch.tensor(boxes).reshape(-1, 4), torch.tensor(scores), torch.tensor(labels).long(), self.names
        )

    def ask(self, picture, question, conf):
        self.asked.append(question)
        self.read_from = conf
        return Answer(question, "count", "3", 3.0, sentence="3 scratches.", confidence=0.9)


def picture(height=150, width=200, value=100, suffix=".png"):
    """The bytes of an even picture."""
    return cv2.imencode(suffix, np.full((height, width, 3), value, np.uint8))[1].tobytes()


def desk(home, **changes):
    """A desk whose runs lie below `home`."""
    return Desk(**{"detector": StandIn(), "weights": "w/best.pt", "project": home / "runs" / "detect", **changes})


def form(files, fields=(), boundary="b-o-u-n-d"):
    """Headers and body of an upload: (name, content) of files, (name, text) of fields."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields
    ]
    for name, content in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: image/png\r\n\r\n" + content + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return {**WRITES, "Content-Type": f"multipart/form-data; boundary={boundary}"}, body


class Browser:
    """Asks a server, with a new connection each time."""

    def __init__(self, address):
        self.address = address

    def ask(self, method, path, body=None, headers=()):
        """(status, headers, content)."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **headers):
        """(status, JSON)."""
        status, _, content = self.ask("GET", path, headers=headers)
        return status, json.loads(content)

    def send(self, path, value, method="POST", headers=JSON):
        """(status, JSON)."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        status, _, content = self.ask(method, path, body, headers)
        return status, json.loads(content)

    def upload(self, files, fields=()):
        """(status, JSON)."""
        headers, body = form(files, fields)
        status, _, content = self.ask("POST", "/api/pictures", body, headers)
        return status, json.loads(content)

    def looked_at(self, number):
        """Everything about a picture, once it was looked at."""
        return until(lambda: self.get(f"/api/pictures/{number}")[1], lambda one: one["state"] != "waiting")

    def look(self, name="part.png", content=None, fields=()):
        """Everything about a picture that is sent."""
        status, told = self.upload([(name, picture() if content is None else content)], fields)
        assert status == 202, told
        return self.looked_at(told["pictures"][0]["id"])


def until(ask, done=bool, seconds=20):
    """The first answer that is as wanted."""
    end = time.monotonic() + seconds
    while not done(answer := ask()):
        assert time.monotonic() < end, answer
        time.sleep(0.01)
    return answer


def heat_of(image, values):
    """What a network would say of a box: `values` over the whole picture."""
    height, width = image.shape[:2]
    whole = (0.0, 0.0, float(width), float(height))
    return Heat(values.astype(np.float32), whole, (height, width), (10.0, 20.0, 50.0, 60.0), 0, 0.9, 0.1, 0.8, 0.0)
