"""Cleans free text: words that are known to be about imaging stay, everything else goes.

A list of what may stay is safe where a list of what must go never is: it also takes names that nobody
expected. What stays is ASCII, so it fits any character set.
"""

import re
from functools import lru_cache

from atlas.dicom.deidentify import profile_tables

GAP = "[...]"

# What technicians write into descriptions and the coded concepts don't spell out.
_SHORT = frozenset(
    """
    x in of on to at by is or and as no not nil negative positive for mri ap pa lat obl ax axial cor
    coronal sag sagittal tra transversal oblique mpr mip minip vr vrt 2d 3d 4d ct cta ctv cbct hrct mr
    mra mrv mrcp pet spect us ultrasound xr dx cr mg nm rf xa sc seg sr rt suv suvbw t1 t1w t2 t2w t2*
    pd pdw ir stir flair dwi adc dce dsc swi gre se fse tse haste space vibe flash fl bravo spgr ssfp
    fiesta trufi ciss mprage blade propeller epi trace exp ep2d fs fatsat fat sat water dixon opp
    opposed lava thrive ge pre post native plain contrast ce gd gad kontrast c+ c- w o wo with without
    non art arterial ven venous pv portal portovenous delayed delay early late equilibrium nephrographic
    excretory phase hbp abd abdomen pelvis chest thorax neck head brain skull face spine cervical lumbar
    sacral hip knee ankle foot hand wrist elbow shoulder arm leg femur heart cardiac coronary aorta lung
    lungs liver kidney kidneys pancreas spleen prostate bladder uterus ovary rectum colon bowel breast
    breasts thyroid adrenal orbit sinus sella iac mlo cc cranio caudal l r left right lt bilat bilateral
    sup inf supine prone standing erect topogram scout localizer localiser locator survey surview
    monitoring bolus premonitoring timing smartprep test std standard soft bone kernel sharp smooth
    medium recon reconstruction reformat thin thick slab iterative asir veo admire safire idose fbp
    filtered ac nac atten attenuation corrected wb whole body eyes thighs inspiration expiration insp
    breath hold bh rest stress gated ungated dyn dynamic perf perfusion diff diffusion map tof wash
    washout subtraction sub subtracted dose report low high roi gtv ptv itv tumor tumour lesion node
    nodule mass metastasis target nontarget baseline followup series study image images exam protocol
    routine default derived primary secondary original mm cm ms sec min deg kv kvp ma mas mgy b0 bval
    """.split()  # noqa: SIM905
)
# Words of the list that people are also called.
_ALSO_NAMES = (
    frozenset(
        """
    april art august baker banks bean bell berry bird bishop black bloom bond brooks brown burns bush
    cane carpenter chase cherry church cook cooper crane cross crow curry daisy dale day dean dove drake
    duke earl east field fields finch fish fisher flower flowers ford forest fox frank frost gardener
    gene ginger glass gold good grant gray grave green grey grove guy hall hand hardy hart hill holly
    hood hope hunter iris ivy jack jade june king knight lake lamb land lane law lily little long love
    major mark marks marsh marshal marten martin mason may miles mill miller mole moon moor moss nail
    north noble olive page palm park parrot pearl penny pepper pitt pond pool poor post potter power
    powers price prince rain reed rice rich rivers robin rock rod roll rose ruby rush sage sands savage
    schild shepherd silver singer small smart smith snow south spring star steel stone storm strong
    sugar summer sweet swift tailor temple terrier thorn vale viola violet wall walker ward waters
    weaver webs weeks wells west wheat white wild will wing winter wise wolf wood woods wren young
    """.split()  # noqa: SIM905
    )
    - _SHORT
)
_SAFE = re.compile(
    r"""\d{1,3}(\.\d{1,3})?%?                # a number too short for an identifier
    | \d{1,3}(\.\d{1,3})?(mm|cm|ms|s|sec|min|kv|kvp|mas|t|d|x|deg|ml)
    | \d{1,3}x\d{1,3}                        # a matrix
    | [ctls]\d{1,2}(-?[ctls]?\d{1,2})?       # vertebrae
    | (b|br|bl|bv|hr|hc|i|j|q|qr|u|ur|d)\d{2}[fhs]?  # reconstruction kernels
    | b\d{1,4} | t[12]\*? | ph?\d{1,2}       # diffusion weighting, contrasts, phases
    """,
    re.VERBOSE,
)
_TOKEN = re.compile(r"\0|[^\W_]+(?:[.'’][^\W_]+)*[*%]?")
# Three numbers in a row are a date or a telephone number, whatever stands between them; so are long ones.
_NUMBERS = re.compile(r"\d+(?:[ ./\-:]+\d+){2,}|\d+[/\-]\d+(?!\s*(?:mm|ms|deg))|\d{4,}")


@lru_cache(maxsize=2048)
def cleaned(text: str, known: frozenset[str], *, mark: bool = False) -> str:
    """The text without what may identify somebody. Where nothing does, it comes back as it is.

    `known` are words, in small letters, that identify in this file and go even where they are in the list:
    parts of the patient's name, for one. With `mark` a gap is shown, for sentences whose sense it may change.
    """
    kept: list[str] = []
    without_numbers = _NUMBERS.sub(" \0 ", text)
    for piece in _TOKEN.findall(without_numbers):
        if piece != "\0" and _is_safe(piece.casefold(), known):
            kept.append(piece)
        elif kept[-1:] != [GAP]:
            kept.append(GAP)
    if GAP not in kept and text.isascii():
        return text
    words = [word for word in kept if word != GAP]
    return " ".join(kept if mark and words else words)


def _is_safe(token: str, known: frozenset[str]) -> bool:
    if token in known or not token.isascii():
        return False
    return is_common(token) or _SAFE.fullmatch(token) is not None


def telling_words(values: list[str]) -> frozenset[str]:
    """The words of names and numbers by which a person could be found, in small letters."""
    found: set[str] = set()
    for value in values:
        pieces = re.split(r"[\^=\\\s,;]+", value.casefold())
        found.update(piece for piece in pieces if len(piece) > 1)
        found.update(word for word in re.findall(r"[^\W_]+", value.casefold()) if len(word) > 2)
    return frozenset(found)


def is_common(word: str) -> bool:
    """Whether a word is one of imaging, which says nothing by itself."""
    return word in _SHORT or (word in profile_tables.words() and word not in _ALSO_NAMES)
