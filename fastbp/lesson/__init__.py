"""Chapter 2 of Nielsen's book as a run in a minute: the equations with their numbers, then the experiments.

`small` and `experiments` compute, and `claims` are what must be so for the words to be true. `chapter` and `story` put
numbers and words (`en`, `zh`) together, `charts` draws, for a terminal or a page.
"""
