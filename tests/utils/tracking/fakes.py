"""A tool that remembers what it was told."""

from utils.tracking.tracker import Tracker


class Recording(Tracker):
    label = "recording"

    def __init__(self):
        self.calls = []

    def start(self, run):
        self.run = run
        self.calls.append(("start", run.first))

    def epoch(self, number, values):
        self.calls.append(("epoch", number, dict(values)))

    def picture(self, name, path):
        self.calls.append(("picture", name, path.name))

    def end(self, status, about):
        self.calls.append(("end", status, dict(about)))


class Failing(Recording):
    label = "failing"

    def __init__(self, where, error):
        super().__init__()
        self.where, self.error = where, error

    def epoch(self, number, values):
        super().epoch(number, values)
        if number == self.where:
            raise self.error
