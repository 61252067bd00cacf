"""Back in the tab: what it made of the files that Python wrote."""

import hashlib
import json
import sys
from pathlib import Path

import numpy
import torch
from comparing import relative, report
from holdfast_page import Run, Spirals, Text, Training, read_safetensors

SAME_TRAINING = 1e-3


def unequal(run, expected):
    """Numbers of S_0 that have other bits."""
    tensors, facts = run.checkpoint(0)
    count = int(facts["counters"]["t"] != float(expected["counter/t"]))
    for name in {**tensors, **expected}:
        if name != "counter/t":
            count += int((tensors[name].view("<u4") != expected[name].view("<u4")).sum())
    return count


def going_on(run, start):
    """The tab's losses, and those of PyTorch from the same file on the same batches."""
    record = run.record
    model = (Spirals if record["task"] == "spirals" else Text)(run)
    t = float(start["counter/t"])
    training = Training(model, start, record["config"], record["optimizer"], record["seed"], 0, 0, t)
    rows = [run.journal[step] for step in sorted(run.journal)]
    return [float(row["loss"]) for row in rows], [training.update(float(row["rate"])) for row in rows]


def trained(folder, place, run):
    what = f"{run.record['name']}, from PyTorch"
    file = (folder / f"trained{place}.safetensors").read_bytes()
    start, _ = read_safetensors(file)
    same = run.record["from"]["hash"] == hashlib.sha256(file).hexdigest()
    report(f"{what}: the record has the file's SHA-256; unequal", int(not same), 0)
    report(f"{what}: numbers of S_0 that are not the file's", unequal(run, start), 0)
    found, expected = going_on(run, start)
    report(f"{what}: {len(found)} losses of the tab going on", relative(found, expected), SAME_TRAINING)
    slots = {name: numpy.zeros_like(values) for name, values in start.items() if name.startswith("slot/")}
    found, expected = going_on(run, {**start, **slots, "counter/t": numpy.array(0.0)})
    report(f"{what}: as if the slots had been left out", relative(found, expected), SAME_TRAINING, control=True)


def main(folder):
    torch.set_num_threads(1)
    bundle = folder / "back.holdfast"
    for place in range(3):
        trained(folder, place, Run(bundle, place))
    names = json.loads((folder / "foreign.json").read_text())["accepted"]
    for place, name in enumerate(names):
        run = Run(bundle, 3 + place)
        expected, _ = read_safetensors((folder / f"{name}.expected").read_bytes())
        report(f"a file of {name}: numbers of S_0 with other bits", unequal(run, expected), 0)
        spoilt = {**expected, "param/output/bias": numpy.nextafter(expected["param/output/bias"], numpy.float32(9))}
        report(f"a file of {name}: the last bit of one changed", unequal(run, spoilt), 0, control=True)
    run = Run(bundle, 3 + len(names))
    own, metadata = read_safetensors((folder / "own.safetensors").read_bytes())
    t = json.loads(metadata["holdfast"])["counters"]["t"]
    report("a checkpoint of ours: numbers of S_0 with other bits", unequal(run, {**own, "counter/t": t}), 0)


main(Path(sys.argv[1]))
