"""On the way back: PyTorch trains runs of the bundle further, and writes files that the tab begins with."""

import json
import sys
from pathlib import Path

import numpy
import torch
from holdfast_page import Run, state_of, training_from, write_safetensors

FROM, STEPS, RATE = 20, 20, 0.003
F32, NAMES = "<f4", {"<f4": "F32", "<f8": "F64", "<f2": "F16", "<i8": "I64", "u1": "U8"}


def train(folder, place):
    run = Run(folder / "runs.holdfast", place)
    training = training_from(run, FROM)
    for _ in range(STEPS):
        training.update(RATE)
    state = state_of(training)
    write_safetensors(folder / f"trained{place}.safetensors", state)
    return state


def entry(values, dtype=F32):
    """Of a tensor: dtype, shape and bytes, as a file has them."""
    return NAMES[dtype], list(values.shape), values.astype(dtype).tobytes()


def bfloat16(values):
    return "BF16", list(values.shape), torch.tensor(values).to(torch.bfloat16).view(torch.int16).numpy().tobytes()


def written(path, entries, metadata=None, padding="", change=lambda header: None, tail=b""):
    """As any tool may write it: in the order given, its header of any length."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    if metadata is not None:
        header["__metadata__"] = metadata
    change(header)
    text = (json.dumps(header) + padding).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data + tail)


def foreign(folder, state):
    """Files of other tools: those that are read, each with the numbers to expect, and those that are refused."""
    weights = {name[6:]: values for name, values in state.items() if name.startswith("param/")}
    # Digits that float32 has no room for, so that the rounding shows.
    fine = {name: values.astype("<f8") * (1 + 2.0**-30) + 1e-12 for name, values in state.items()}
    single = {name: entry(values) for name, values in weights.items()}
    accepted, refused = [], []

    def read(file, expected, t=0, **how):
        entries = how.pop("entries")
        written(folder / f"{file}.safetensors", entries, **how)
        full = {name: expected.get(name, numpy.zeros_like(values)) for name, values in state.items()}
        write_safetensors(folder / f"{file}.expected", {**full, "counter/t": numpy.array(float(t))})
        accepted.append(file)

    def prefixed(tensors):
        return {f"param/{name}": values.astype("<f4") for name, values in tensors.items()}

    read("F32", prefixed(weights), entries=single)
    doubles = {name: fine[f"param/{name}"] for name in weights}
    read("F64", prefixed(doubles), entries={name: entry(values, "<f8") for name, values in doubles.items()})
    halves = {name: values.astype("<f2") for name, values in weights.items()}
    read("F16", prefixed(halves), entries={name: entry(values, "<f2") for name, values in halves.items()})
    cut = {name: torch.tensor(values).to(torch.bfloat16).to(torch.float32).numpy() for name, values in weights.items()}
    read("BF16", prefixed(cut), entries={name: bfloat16(values) for name, values in weights.items()})
    # The bias of the output is two bytes, so all that follow begin at odd places; the header is of an odd length.
    name = "output/bias"
    odd = {name: entry(weights[name], "<f2"), **{f"param/{one}": single[one] for one in reversed(single) if one != name}}
    length = len(json.dumps({"x": odd[name][:2]}))
    mixed = prefixed({**weights, name: halves[name]})
    read("unaligned", mixed, entries=odd, metadata={"format": "pt"}, padding=" " * (1 + length % 2))
    whole = {one: entry(values, "<f8") for one, values in fine.items()}
    whole["counter/t"] = entry(numpy.array(40), "<i8")
    state_expected = {one: values.astype("<f4") for one, values in fine.items()}
    read("slots", state_expected, 40, entries=dict(reversed(whole.items())))

    def refuse(file, what, code, word, entries=single, **how):
        written(folder / f"{file}.safetensors", entries, **how)
        refused.append({"file": file, "what": what, "code": code, "word": word})

    first = next(iter(weights))
    slots = {one: entry(values) for one, values in state.items() if one != "counter/t"}
    other = lambda **more: {**single, **more}
    without = lambda entries, gone: {one: value for one, value in entries.items() if one != gone}
    refuse("i64", "I64 as weights", "unsupported", first, other(**{first: entry(weights[first], "<i8")}))
    refuse("u8", "U8 as weights", "unsupported", first, other(**{first: entry(weights[first], "u1")}))
    shape, raw = single[first][1], b"\0" * weights[first].size
    refuse("f8", "F8 as weights", "unsupported", "F8_E4M3", other(**{first: ("F8_E4M3", shape, raw)}))
    refuse("missing", "a parameter missing", "invalid", first, without(single, first))
    refuse("empty", "an empty tensor besides", "invalid", "nothing", other(nothing=entry(numpy.zeros([0, 3]))))
    refuse("scalar", "a scalar besides", "invalid", "alone", other(alone=entry(numpy.array(1.0))))
    turned = {"hidden0/weight": entry(weights["hidden0/weight"].T)}
    refuse("linear", "weights of torch.nn.Linear", "invalid", "Transpose", other(**turned))
    refuse("nan", "a weight that is NaN", "invalid", "NaN", other(**{first: entry(weights[first] * numpy.nan)}))
    refuse("wide", "an F64 too large", "invalid", first, other(**{first: entry(doubles[first] * 1e60, "<f8")}))
    gone = f"slot/secondMoment/{first}"
    refuse("halfslots", "a slot missing", "invalid", gone, without({**slots, "counter/t": whole["counter/t"]}, gone))
    refuse("counter", "the counter missing", "invalid", "counter/t", slots)
    refuse("tail", "a byte behind the end", "corrupt", "behind", tail=b"\0")
    refuse("backwards", "offsets that run backwards", "corrupt", name, change=lambda header: header[name]["data_offsets"].reverse())
    return {"accepted": accepted, "refused": refused}


def main(folder):
    torch.set_num_threads(1)
    states = [train(folder, place) for place in range(3)]
    (folder / "foreign.json").write_text(json.dumps(foreign(folder, states[0])))


main(Path(sys.argv[1]))
