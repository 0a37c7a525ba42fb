# SPDX-License-Identifier: Apache-2.0
"""The table and the JSON of one run. Both are made of the same results; bench/README.md describes them."""

SCHEMA_VERSION = 1


def verdict(result):
    """'met' or 'missed' of the row's time, by the median; None without a target."""
    row, cell = result.row, result.cells.get("sheaf")
    if cell is None or not cell.values:
        return None
    if row.target is not None:
        return "met" if cell.values.median <= row.target else "missed"
    ratios = [ratio(result, name) for name in result.cells if name != "sheaf"]
    ratios = [one for one in ratios if one is not None]
    return ("met" if min(ratios) >= row.ratio else "missed") if row.ratio and ratios else None


def peak_verdict(result):
    cell = result.cells.get("sheaf")
    if result.row.target_peak is None or cell is None or not cell.peaks:
        return None
    return "met" if max(cell.peaks) <= result.row.target_peak else "missed"


def ratio(result, name):
    """How many times our median the program's is; None if one is missing."""
    own, other = result.cells.get("sheaf"), result.cells.get(name)
    return other.values.median / own.values.median if own and own.values and other and other.values else None


def above_floor(result):
    own = result.cells.get("sheaf")
    floor = result.floor
    return own.values.median / floor.values.median if own and own.values and floor and floor.values.median else None


# ---- JSON -----------------------------------------------------------------------------------------------------------


def as_json(machine, results, runs):
    return {"version": SCHEMA_VERSION, "runs": runs, "machine": machine, "rows": [_row(result) for result in results]}


def _row(result):
    row, floor = result.row, result.floor
    return {
        "name": row.name, "title": row.title, "unit": row.unit, "target": row.target, "ratio_target": row.ratio,
        "verdict": verdict(result), "peak_target_mb": row.target_peak, "peak_verdict": peak_verdict(result),
        "programs": {name: _cell(result, name) for name in result.cells},
        "floors": [{"what": one.what, **_values(one.values)} for one in result.floors],
        "floor": floor.what if floor else None, "above_floor": above_floor(result), "notes": result.notes,
    }


def _cell(result, name):
    cell = result.cells[name]
    if not cell.values:
        return {"absent": cell.reason}
    return {"absent": None, "stopped": cell.reason, **_values(cell.values), "ratio": ratio(result, name),
            "peak_mb": _values(cell.peaks) if cell.peaks else None}


def _values(series):
    return {"median": series.median, "least": min(series), "most": max(series), "runs": len(series),
            "values": list(series)}


# ---- table ----------------------------------------------------------------------------------------------------------


def number(value):
    """Three digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(series):
    if len(series) == 1:
        return number(series[0])
    return f"{number(series.median)} ({number(min(series))}-{number(max(series))})"


def as_table(machine, results, runs):
    names = ["sheaf", *(name for name in machine["programs"] if name != "sheaf")]
    lines = [["", "target", "sheaf", "floor", *(name for name in names[1:])]]
    footnotes = []
    for result in results:
        lines += _lines(result, names, runs, footnotes)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*_machine(machine, runs), "", *text, "", *footnotes])


def _lines(result, names, runs, footnotes):
    row = result.row
    target = number(row.target) if row.target is not None else f"{row.ratio:g}x" if row.ratio else "-"
    judged = verdict(result)
    first = [f"{row.name}, {row.unit}", target + (f" {judged}" if judged else "")]
    peaks = ["  peak memory, MB", "-"]
    if row.target_peak is not None:
        peaks[1] = f"{number(row.target_peak)} {peak_verdict(result) or ''}".strip()
    for name in names:
        first.append(_text(result, name, runs, footnotes))
        cell = result.cells.get(name)
        peaks.append(number(cell.peaks.median) if cell and cell.peaks else "")
        if name == "sheaf":
            floor = result.floor
            first.append(f"{number(floor.values.median)} {above_floor(result):.1f}x" if floor and above_floor(result) else "-")
            peaks.append("")
    for note in result.notes:
        footnotes.append(f"{row.name}: {note}")
    return [first, peaks] if any(peaks[2:]) else [first]


def _text(result, name, runs, footnotes):
    cell = result.cells.get(name)
    if cell is None or (not cell.values and cell.reason in (None, "-")):
        return "-"
    if not cell.values:
        mark = "not here" if cell.reason.startswith("not here") else "failed" if cell.reason.startswith("failed") else "cannot"
        note = f"{name}: {cell.reason}" if mark == "not here" else f"{result.row.name}: {name}: {cell.reason}"
        if note not in footnotes:
            footnotes.append(note)
        return mark
    if cell.reason:
        footnotes.append(f"{result.row.name}: {name} after {len(cell.values)} runs: {cell.reason}")
    times = ratio(result, name)
    fewer = f" n={len(cell.values)}" if len(cell.values) < runs else ""
    return spread(cell.values) + fewer + (f" {number(times)}x" if name != "sheaf" and times else "")


def _machine(machine, runs):
    programs = ", ".join(f"{name} {version}" for name, version in machine["programs"].items()
                         if not version.startswith("not here"))
    return [
        f"{machine['processors']} processors ({machine['processor']}), {machine['memory_mb']:,} MB, "
        f"Linux {machine['kernel']}, {machine['system']}, {machine['file_system']}, {machine['user']} user, "
        f"{machine['scheduling']} scheduling, load {machine['load_at_start']:.1f} at the start",
        programs,
        f"median (least-most) of {runs} runs, n= where they were fewer; x: how many times our median, in the column of the "
        "floor how many times the floor ours is",
    ]
