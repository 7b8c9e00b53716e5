"""Inference memory: idfe-net.yaml on one 1280-px picture needs less than 1 GB above the idle process."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import torch
from models.graph.builder import build_graph
from models.rows.model_spec import read_spec

def megabytes(key):
    line = next(line for line in open("/proc/self/status") if line.startswith(key))
    return int(line.split()[1]) / 1024

graph = build_graph(read_spec("cfg/models/idfe-net.yaml")).eval().to(memory_format=torch.channels_last)
picture = torch.rand(1, 3, 1280, 1280).to(memory_format=torch.channels_last)
idle = megabytes("VmRSS:")
with torch.inference_mode():
    graph(picture)
print(megabytes("VmHWM:") - idle)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_peak_memory_at_1280():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=300)
    assert 0 < float(done.stdout) < 1000
