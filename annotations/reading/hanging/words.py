"""A protocol in words: for which cases it is, and what each of its panes asks for."""

from annotations.reading.hanging.matching import EARLIEST, LAST, Rules, Wanted


def in_words(rules: Rules) -> str:
    """For which cases, in one line."""
    parts = []
    if rules.modalities:
        parts.append(" and ".join(rules.modalities))
    if rules.body_part:
        parts.append(rules.body_part)
    side = f"{rules.laterality} {rules.view}".strip()
    if side:
        parts.append(side)
    if rules.words:
        parts.append(f"called “{rules.words}”")
    parts += _priors(rules)
    if rules.complete:
        parts.append("every image there")
    return ", ".join(parts) or "every case"


def _priors(rules: Rules) -> list[str]:
    low, high = rules.priors_min, rules.priors_max
    if high == 0:
        return ["no prior"]
    if high is None:
        return [f"{low} prior{'s' if low > 1 else ''} or more"] if low else []
    if low == high:
        return [f"{low} prior{'s' if low > 1 else ''}"]
    return [f"{low} to {high} priors" if low else f"at most {high} prior{'s' if high > 1 else ''}"]


def study_in_words(study: int) -> str:
    """ "current", "prior", "2nd prior", "first"."""
    if study == EARLIEST:
        return "first"
    return {0: "current", 1: "prior", 2: "2nd prior", 3: "3rd prior"}.get(study, f"{study}th prior")


def pane_in_words(wanted: Wanted) -> str:
    """What a pane asks for, in one line."""
    phase = {0: "", LAST: "last phase"}.get(wanted.phase, f"phase {wanted.phase}")
    asked = [
        study_in_words(wanted.study),
        wanted.modality,
        f"{wanted.laterality} {wanted.view}".strip(),
        wanted.plane,
        f"“{wanted.words}”" if wanted.words else "",
        phase,
        f"cut {wanted.cut}" if wanted.cut else "",
        "with PET over it" if wanted.fused else "",
    ]
    return ", ".join(part for part in asked if part)
