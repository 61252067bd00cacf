#!/usr/bin/env python3
"""Writes tests/fixtures/optimizers/*.json: what PyTorch's optimizers and schedules do on recorded gradients.

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy; written with 1.13). Run it in the root of the
repository. The fixtures are committed, so the tests need no Python.
"""

import json
import pathlib

import numpy
import torch
from torch.optim import lr_scheduler

OUT = pathlib.Path("tests/fixtures/optimizers")
STEPS = 20
RECORDED = (1, 2, 5, 20)

SHAPES = {"scale": [], "bias": [3], "weight": [4, 5], "block/weight": [2, 3, 2]}
WITHOUT_DECAY = {"bias"}

SCHEDULE = {"kind": "constant", "warmup": 0, "horizon": 0, "floor": 0.0, "every": 1, "factor": 1.0}
BASE = {
    "momentum": 0.9,
    "beta1": 0.9,
    "beta2": 0.999,
    "decay": 0.99,
    "epsilon": 1e-8,
    "weightDecay": 0.0,
    "clipNorm": 0.0,
    "schedule": SCHEDULE,
}
KINDS = {
    "sgd": {"learningRate": 0.05},
    "momentum": {"learningRate": 0.02},
    # A large epsilon, so that its place shows: inside or outside of the root, before or after the correction.
    "rmsprop": {"learningRate": 0.01, "epsilon": 1e-3},
    "adam": {"learningRate": 0.01, "epsilon": 1e-3},
    "adamw": {"learningRate": 0.01, "epsilon": 1e-3},
}
COSINE = {**SCHEDULE, "kind": "cosine", "horizon": 15, "floor": 0.1}
CASES = {
    "plain": {},
    "default epsilon": {"epsilon": 1e-8},
    "weight decay": {"weightDecay": 0.1},
    "clipped": {"clipNorm": 1.0},
    "cosine": {"schedule": COSINE},
    "all": {"weightDecay": 0.1, "clipNorm": 1.0, "schedule": COSINE},
}
SLOTS = {
    "sgd": {},
    "momentum": {"momentum": "momentum_buffer"},
    "rmsprop": {"meanSquare": "square_avg"},
    "adam": {"firstMoment": "exp_avg", "secondMoment": "exp_avg_sq"},
    "adamw": {"firstMoment": "exp_avg", "secondMoment": "exp_avg_sq"},
}


def single(number):
    """The rate is a float32 value in the engine; PyTorch gets that very number."""
    return float(numpy.float32(number))


def numbers(tensor):
    """Each with the fewest digits that name its float32."""
    values = tensor.detach().numpy().astype(numpy.float32).ravel()
    return [float(str(value)) for value in values]


def inputs():
    generator = numpy.random.RandomState(7)
    values = {name: generator.standard_normal(shape) for name, shape in SHAPES.items()}
    gradients = []
    for _ in range(STEPS):
        # Norms from far below the clipping bound to far above it, and no two elements alike in scale.
        scale = 10.0 ** generator.uniform(-2, 0.5)
        gradients.append(
            {
                name: scale * generator.standard_normal(shape) * 10.0 ** generator.uniform(-2, 0, shape)
                for name, shape in SHAPES.items()
            }
        )
    return (
        {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()},
        [{name: torch.tensor(g, dtype=torch.float32) for name, g in step.items()} for step in gradients],
    )


def optimizer_of(kind, config, groups):
    rate, decay, epsilon = single(config["learningRate"]), config["weightDecay"], config["epsilon"]
    betas = (config["beta1"], config["beta2"])
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=rate, weight_decay=decay)
    if kind == "momentum":
        return torch.optim.SGD(groups, lr=rate, momentum=config["momentum"], nesterov=True, weight_decay=decay)
    if kind == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, alpha=config["decay"], eps=epsilon, weight_decay=decay)
    if kind == "adam":
        return torch.optim.Adam(groups, lr=rate, betas=betas, eps=epsilon, weight_decay=decay)
    return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=epsilon, weight_decay=decay)


def scheduler_of(optimizer, schedule, rate):
    if schedule["kind"] == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, schedule["horizon"], eta_min=rate * schedule["floor"])
    if schedule["kind"] == "linear":
        return lr_scheduler.LinearLR(optimizer, 1.0, schedule["floor"], schedule["horizon"])
    if schedule["kind"] == "step":
        return lr_scheduler.StepLR(optimizer, schedule["every"], schedule["factor"])
    return lr_scheduler.ConstantLR(optimizer, 1.0)


def rates_of(schedule, rate, steps):
    """Up to the horizon as PyTorch has it; from there on the rate stays, where its cosine would rise again."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = scheduler_of(optimizer, schedule, rate)
    rates = []
    for step in range(steps):
        rates.append(single(scheduler.get_last_lr()[0]))
        optimizer.step()
        if schedule["kind"] != "cosine" or step < schedule["horizon"]:
            scheduler.step()
    return rates


def run(kind, config):
    start, gradients = inputs()
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    groups = [
        {"params": [p for name, p in parameters.items() if name not in WITHOUT_DECAY]},
        {"params": [p for name, p in parameters.items() if name in WITHOUT_DECAY], "weight_decay": 0.0},
    ]
    optimizer = optimizer_of(kind, config, groups)
    rates = rates_of(config["schedule"], single(config["learningRate"]), STEPS)
    states = {}
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        for name, parameter in parameters.items():
            parameter.grad = gradients[step][name].clone()
        if config["clipNorm"] > 0:
            torch.nn.utils.clip_grad_norm_(list(parameters.values()), config["clipNorm"])
        optimizer.step()
        if step + 1 in RECORDED:
            states[str(step + 1)] = {
                name: {
                    "value": numbers(parameter),
                    "slots": {ours: numbers(optimizer.state[parameter][theirs]) for ours, theirs in SLOTS[kind].items()},
                }
                for name, parameter in parameters.items()
            }
    return {"config": config, "states": states}


def write(name, content):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


def main():
    torch.set_num_threads(1)
    start, gradients = inputs()
    write(
        "inputs",
        {
            "parameters": [
                {"name": name, "shape": shape, "decay": name not in WITHOUT_DECAY, "value": numbers(start[name])}
                for name, shape in SHAPES.items()
            ],
            "gradients": [{name: numbers(g) for name, g in step.items()} for step in gradients],
        },
    )
    for kind, own in KINDS.items():
        cases = {
            name: run(kind, {**BASE, **own, **case, "kind": kind})
            for name, case in CASES.items()
            if set(case) != {"epsilon"} or "epsilon" in own
        }
        write(kind, {"torch": torch.__version__, "cases": cases})
    schedules = [
        {"schedule": schedule, "rates": rates_of(schedule, 1.0, 40)}
        for schedule in (
            SCHEDULE,
            {**SCHEDULE, "kind": "cosine", "horizon": 30},
            {**SCHEDULE, "kind": "cosine", "horizon": 25, "floor": 0.1},
            {**SCHEDULE, "kind": "linear", "horizon": 30, "floor": 0.25},
            {**SCHEDULE, "kind": "step", "every": 7, "factor": 0.5},
        )
    ]
    write("schedules", {"torch": torch.__version__, "learningRate": 1.0, "schedules": schedules})


main()
