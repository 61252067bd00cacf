"""What the scripts here share: one line of JSON for each comparison."""

import json
import math


def relative(found, expected):
    """The largest difference, as a share of the larger of the two."""
    pairs = list(zip(found, expected, strict=True))
    return max(abs(a - b) / max(abs(a), abs(b), 1e-30) for a, b in pairs)


def report(what, difference, limit, control=False):
    """A control is a fault that was put in: it must show as more than the limit."""
    number = None if math.isnan(difference) else difference
    print(json.dumps({"what": what, "difference": number, "limit": limit, "control": control}), flush=True)
