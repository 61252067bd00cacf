"""Out of the tab: a bundle is read by the code of docs/python.md, and its runs go on in PyTorch."""

import contextlib
import io
import sys
from pathlib import Path

import numpy
import torch
from comparing import relative, report
from holdfast_page import Run, example, read_safetensors, training_from

SAME_LOSS = 1e-5
SAME_TRAINING = 1e-3
FROM, TO = 20, 40


class Spoilt(Run):
    """A bundle whose tensors are changed as they are read."""

    def __init__(self, path, place, spoil):
        super().__init__(path, place)
        self.spoil = spoil

    def checkpoint(self, step):
        tensors, facts = super().checkpoint(step)
        return self.spoil(dict(tensors)), facts


def losses_at_checkpoints(run):
    """Of the batch that the update after each checkpoint learnt from, and what the journal says of it."""
    steps = [step for step in run.steps if step + 1 in run.journal]
    found = [training_from(run, step).loss().item() for step in steps]
    return found, [float(run.journal[step + 1]["loss"]) for step in steps]


def going_on(run):
    training = training_from(run, FROM)
    rows = [run.journal[step] for step in range(FROM + 1, TO + 1)]
    return training, [training.update(float(row["rate"])) for row in rows], [float(row["loss"]) for row in rows]


def with_a_byte_changed(tensors):
    """One number of the last layer, by half of itself at most."""
    name = max(name for name in tensors if name.startswith("param/") and name.endswith("output/weight"))
    raw = bytearray(tensors[name].tobytes())
    raw[2] ^= 0x40
    tensors[name] = numpy.frombuffer(bytes(raw), "<f4").reshape(tensors[name].shape)
    return tensors


def with_slots_swapped(tensors):
    for name in [name for name in tensors if name.startswith("slot/firstMoment/")]:
        other = name.replace("firstMoment", "secondMoment")
        tensors[name], tensors[other] = abs(tensors[other]), abs(tensors[name])
    return tensors


def with_two_slots_swapped(tensors):
    """The first moments of two parameters of one shape, which nothing but the name tells apart."""
    names = [name for name in tensors if name.startswith("slot/firstMoment/")]
    pairs = [(a, b) for a in names for b in names if a < b and tensors[a].shape == tensors[b].shape]
    for a, b in pairs:
        tensors[a], tensors[b] = tensors[b], tensors[a]
    return tensors


def without_slots(tensors):
    return {name: values if name.startswith("param/") else numpy.zeros_like(values) for name, values in tensors.items()}


def printed(bundle):
    """What the page's example prints of a bundle's first run."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        example(bundle)
    lines = [line.split() for line in output.getvalue().splitlines()]
    return [float(words[1]) for words in lines], [float(words[-1]) for words in lines]


def main(folder):
    torch.set_num_threads(1)
    bundle = folder / "runs.holdfast"
    found, expected = printed(bundle)
    report(f"the example of docs/python.md: {len(found)} losses", relative(found, expected), SAME_TRAINING)
    for place in range(3):
        run = Run(bundle, place)
        what = run.record["name"]
        alone, _ = read_safetensors((folder / f"{run.record['id']}.safetensors").read_bytes())
        tensors, _ = run.checkpoint(FROM)
        unequal = [name for name in {**tensors, **alone} if tensors[name].tobytes() != alone[name].tobytes()]
        report(f"{what}: {len(tensors)} tensors, in a checkpoint alone and in the bundle; unequal", len(unequal), 0)

        found, expected = losses_at_checkpoints(run)
        report(f"{what}: {len(found)} losses at checkpoints", relative(found, expected), SAME_LOSS)
        found, expected = losses_at_checkpoints(Spoilt(bundle, place, with_a_byte_changed))
        report(f"{what}: a byte of a tensor changed", relative(found, expected), SAME_LOSS, control=True)

        training, found, expected = going_on(run)
        report(f"{what}: {len(found)} losses of AdamW going on", relative(found, expected), SAME_TRAINING)
        # Wider than the losses: keys have a bias without a gradient, of whose rounding Adam makes steps like any other.
        last, _ = run.checkpoint(TO)
        apart = max(
            float(numpy.abs(parameter.detach().numpy() - last[f"param/{name}"]).max())
            for name, parameter in training.params.items()
        )
        report(f"{what}: parameters after them, absolute", apart, SAME_TRAINING)
        for name, spoil in {
            "first and second moments swapped": with_slots_swapped,
            "slots of two parameters swapped": with_two_slots_swapped,
            "slots left out": without_slots,
        }.items():
            _, found, expected = going_on(Spoilt(bundle, place, spoil))
            report(f"{what}: {name}", relative(found, expected), SAME_TRAINING, control=True)


main(Path(sys.argv[1]))
