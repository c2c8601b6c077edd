"""How far readers agree: on voxels, on lesions, on numbers and on categories. Pure: no Django.

`docs/agreement.md` gives the definitions, with cases worked through by hand.

- `voxels`: where the voxels of a mark lie in the patient, and how they come onto another series' grid
- `masks`: Dice, surface Dice, HD95 and volumes of two masks on one grid
- `lesions`: which lesion of one reader is which of another's; F1 and false positives
- `labels`: all that two readers marked under one label
- `raters`: kappa, Fleiss, Krippendorff's alpha, ICC(2,1), Bland-Altman
- `bootstrap`: intervals over subjects; `resampling`: the same for many values at once
"""
