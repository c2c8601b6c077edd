"""What models say of a release's cases: handed in, checked, scored against its reference, ranked, proposed.

- `names`: which case, series and label a file is about
- `masks`: the voxels of a file on the images it is about
- `handing_in`: opened, filled and finished by a scientist
- `scoring`: a job a case, then the figures over all of them
- `standings`: who sees which scores
- `proposing`: a prediction becomes proposals for the next reading
"""
