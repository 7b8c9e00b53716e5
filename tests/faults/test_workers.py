"""Worker processes that die, stop or find no room: the same batches come, or one line and exit code 6."""

import errno
import gc
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
import torch

from data.batches import watched_loader
from data.batches.build import eval_loader, read_splits, train_loader
from data.scenes.record_scenes import RecordScenes
from tests.test_processes import is_running, living
from tests.test_resume import ROOT, STEPS, assert_same, start
from utils.config.settings import Setting, build_config
from utils.console.log import start_logging
from utils.console.signals import Stop
from utils.processes.worker_room import Room, crew_for
from utils.words.errors import WorkerError

SEEDS = range(20)


@pytest.fixture(scope="module")
def splits(glass):
    values = {"data.data": str(glass), "data.imgsz": 64, "data.batch_size": 2, "augment.mosaic": 0.5}
    cfg = build_config([Setting(key, value, "test") for key, value in values.items()])[0]
    return read_splits(cfg), cfg


def loader_of(splits, split, workers):
    """The loader of a split, and its batches as they are made without workers."""
    (learn, evaluate), cfg = splits

    def new(workers):
        data = replace(cfg.data, workers=workers)
        if split == "val":
            return eval_loader(evaluate.records, data, 32, 2, pin=False)
        loader, order = train_loader(learn.records, replace(cfg, data=data), 32, pin=False)
        order.set_epoch(0, 1)  # as if resumed: its own skipping goes together with the loader's
        return loader

    return new(workers), list(new(0))


def same(ours, theirs) -> bool:
    tensors = zip(
        (ours.images, *vars(ours.targets).values()), (theirs.images, *vars(theirs.targets).values()), strict=True
    )
    return ours.indices == theirs.indices and all(torch.equal(one, two) for one, two in tensors)


def all_same(batches, reference) -> bool:
    return len(batches) == len(reference) and all(map(same, batches, reference))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(watched_loader, "STOPPED", 0.5)


def disturbed(loader, moments, number):
    """The batches; before the ones at `moments` a worker gets a signal."""
    batches, draw = [], random.Random(str(moments))
    for k, batch in enumerate(loader):
        batches.append(batch)
        if k in moments and loader._workers:
            os.kill(draw.choice(loader._workers).pid, number)
    return batches


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_gone_is_replaced(splits, split, number):
    loader, reference = loader_of(splits, split, 2)
    before = list(loader)  # workers stay alive over passes
    os.kill(loader._workers[1].pid, number)
    after = list(loader)
    assert all_same(before, reference) and all_same(after, reference)


@pytest.mark.faults
@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGBUS, signal.SIGSEGV])
@pytest.mark.parametrize("seed", SEEDS)
def test_at_any_moment(splits, split, number, seed):
    draw = random.Random(seed)
    loader, reference = loader_of(splits, split, draw.choice([1, 2, 3]))
    moments = set(draw.sample(range(len(reference)), draw.randint(1, min(3, len(reference)))))
    assert all_same(disturbed(loader, moments, number), reference)
    assert all_same(list(loader), reference)


def test_workers_that_die_again_and_again(splits):
    """One line, and exit code 6."""
    loader, _ = loader_of(splits, "val", 2)
    loader.worker_init_fn = dying
    with pytest.raises(WorkerError, match=r"SIGKILL.*memory.*started again 3 times") as caught:
        list(loader)
    assert caught.value.exit_code == 6 and "\n" not in str(caught.value)


def dying(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("code", [-signal.SIGBUS, watched_loader.SHORT_CODE])
def test_without_room_it_goes_on_alone(splits, code):
    loader, reference = loader_of(splits, "train", 2)
    loader.worker_init_fn = lambda _: os.kill(os.getpid(), -code) if code < 0 else os._exit(code)
    assert all_same(list(loader), reference) and loader.num_workers == 0


SHORTAGES = [
    OSError(errno.EMFILE, "Too many open files"),
    RuntimeError("unable to mmap 7 bytes: Cannot allocate memory"),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=lambda error: type(error).__name__)
def test_what_a_worker_cannot_share_is_made_here(splits, error, monkeypatch):
    def share(tensor):
        raise error

    loader, reference = loader_of(splits, "train", 2)
    monkeypatch.setattr(torch.Tensor, "share_memory_", share)
    assert all_same(list(loader), reference) and loader.num_workers == 0


def test_no_further_process(splits, monkeypatch, capfd):
    """The second worker cannot be started."""
    loader, reference = loader_of(splits, "train", 2)
    whole, calls = os.fork, []

    def fork():
        calls.append(1)
        if len(calls) == 2:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return whole()

    monkeypatch.setattr(os, "fork", fork)
    assert all_same(list(loader), reference) and loader.num_workers == 0
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


def test_a_mistake_in_a_worker_is_raised_as_it_is(splits):
    loader, _ = loader_of(splits, "val", 1)
    loader.collate_fn = mistaken
    with pytest.raises(RuntimeError, match="a bug of ours"):
        list(loader)


def mistaken(_):
    raise RuntimeError("a bug of ours")


def test_a_picture_that_never_comes_is_named(splits, monkeypatch):
    loader, _ = loader_of(splits, "val", 2)
    path = splits[0].val.records[0].path
    whole = RecordScenes.__getitem__
    monkeypatch.setattr(RecordScenes, "__getitem__", lambda self, i: time.sleep(1000) if i == 0 else whole(self, i))
    loader._patience = 0.7
    with pytest.raises(WorkerError, match=rf"no picture was read .* worker 1 at {path}"):
        list(loader)


def test_slow_pictures_are_no_stall(splits, monkeypatch):
    loader, reference = loader_of(splits, "val", 2)
    whole = RecordScenes.__getitem__
    monkeypatch.setattr(RecordScenes, "__getitem__", lambda self, i: time.sleep(0.6) or whole(self, i))
    loader._patience = 1.0  # a batch takes longer than that, a picture does not
    assert all_same(list(loader), reference)


def test_a_signal_is_served_while_no_batch_comes(splits, monkeypatch):
    loader, _ = loader_of(splits, "val", 2)
    monkeypatch.setattr(RecordScenes, "__getitem__", lambda self, i: time.sleep(1000))
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        started = time.monotonic()
        assert list(loader.until(stop)) == [] and time.monotonic() - started < 5
        # who evaluates or trains sees by the number of batches that the pass was not finished


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_that_a_dead_worker_held_is_not_waited_for(splits, replaced):
    """PyTorch's own ending waits for it, in a destructor of whoever happens to collect garbage."""
    loader, reference = loader_of(splits, "val", 2)
    assert all_same(list(loader), reference)
    batches, workers = loader._iterator, list(loader._workers)
    assert batches._workers_done_event._cond.acquire(timeout=5)  # as a worker does in every turn
    if replaced:
        os.kill(workers[0].pid, signal.SIGKILL)
        assert all_same(list(loader), reference) and loader._iterator is not batches
    ended = threading.Thread(target=batches.__del__, daemon=True)
    del loader
    ended.start()
    ended.join(30)
    assert not ended.is_alive() and not any(is_running(worker.pid) for worker in workers)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_pass_that_is_left_early_leaves_nothing(splits, left):
    loader, reference = loader_of(splits, "train", 2)
    batches = iter(loader)
    for _ in range(left + 1):
        next(batches)
    workers = [worker.pid for worker in loader._workers]
    batches.close()
    assert workers and not any(is_running(pid) for pid in workers)
    assert all_same(list(loader), reference)


def test_a_pass_that_is_left_open_gives_way_to_the_next(splits):
    """As when the cause of an error in a step is looked for."""
    loader, reference = loader_of(splits, "train", 2)
    batches = iter(loader)
    assert same(next(batches), reference[0])
    assert all_same(list(loader), reference)


@pytest.mark.parametrize(
    ("room", "crew"),
    [
        (Room(), (8, 4)),
        (Room(shared=64_000_000), (8, 1)),
        (Room(shared=5_000_000), (2, 1)),
        (Room(shared=3_000_000), (0, 4)),
        (Room(shared=0), (0, 4)),
        (Room(handles=1000), (8, 4)),
        (Room(handles=130), (8, 4)),
        (Room(handles=95), (5, 4)),
        (Room(handles=54), (1, 1)),
        (Room(handles=10), (0, 4)),
        (Room(processes=100), (8, 4)),
        (Room(processes=5), (2, 4)),
        (Room(processes=0), (0, 4)),
    ],
    ids=str,
)
def test_as_many_as_there_is_room_for(room, crew):
    found, words = crew_for(8, 1_000_000 if room.shared != 64_000_000 else 5_000_000, room)
    assert tuple(found) == crew
    assert bool(words) == (crew[0] < 8) and "\n" not in words
    assert not words or any(hint in words for hint in ("--shm-size", "ulimit -n", "/dev/shm", "limit of processes"))


def test_the_user_is_told_before_the_start(splits, monkeypatch, capfd):
    monkeypatch.setattr(Room, "here", lambda: Room(shared=64))
    start_logging()
    loader, reference = loader_of(splits, "val", 2)
    said = capfd.readouterr().err
    assert loader.num_workers == 0 and said.count("\n") == 1 and "--shm-size" in said
    assert all_same(list(loader), reference)


def limited(handles):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))


@pytest.mark.faults
@pytest.mark.parametrize("handles", [40, 48, 64, 80, 100, 128, 256])
def test_few_handles(glass, tmp_path, handles):
    """ulimit -n of a hard 64: the same result, with as many workers as there is room for."""
    command = [sys.executable, f"{ROOT}/train.py", *STEPS, "--epochs", "2", "--data", str(glass), "--workers", "4"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, preexec_fn=limited(handles)
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert handles > 64 or "ulimit -n" in done.stderr  # more are enough for the workers that two cores get
    assert "UserWarning" not in done.stderr
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300).returncode == 0
    assert_same(tmp_path / "runs" / "train" / "exp", tmp_path / "runs" / "train" / "exp2")


def workers_of(process) -> list[int]:
    """Of a script that was started, the processes that have a group of their own: the loaders' workers."""
    return [pid for pid in living(process.pid) if os.getpgid(pid) == pid]


@pytest.fixture(scope="module")
def unbroken(glass, tmp_path_factory):
    home = tmp_path_factory.mktemp("unbroken")
    command = [sys.executable, f"{ROOT}/train.py", *STEPS, "--epochs", "3", "--data", str(glass)]
    assert subprocess.run(command, cwd=home, capture_output=True, timeout=300).returncode == 0
    return home / "runs" / "train" / "exp"


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("seed", range(6))
def test_train_goes_on_bit_for_bit(glass, unbroken, tmp_path, number, seed):
    """Workers of a whole training, hit at random moments, with gradients of two batches added up."""
    draw = random.Random(seed)
    process = start(tmp_path, *STEPS, "--epochs", "3", "--data", str(glass), "--workers", "2")
    hits = 0
    while process.poll() is None:
        time.sleep(draw.uniform(0.05, 1.0))
        if hits < 3 and (found := workers_of(process)):
            os.kill(draw.choice(found), number)
            hits += 1
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and hits and "Traceback" not in said, said
    assert_same(unbroken, tmp_path / "runs" / "train" / "exp")


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_left_when_the_script_is_killed(glass, tmp_path, seed):
    process = start(tmp_path, *STEPS, "--epochs", "30", "--data", str(glass), "--workers", "2")
    while not (workers := workers_of(process)):
        time.sleep(0.05)
    time.sleep(random.Random(seed).uniform(0, 2))
    workers = workers_of(process) or workers
    if seed % 2:
        os.kill(workers[0], signal.SIGSTOP)
    process.kill()
    process.wait()
    for _ in range(50):
        if not any(is_running(pid) for pid in workers):
            return
        time.sleep(0.1)
    raise AssertionError("workers are left behind")
