"""Chapter 2 of Nielsen's book as a run in a minute: the equations with their numbers, then the experiments.

`experiments` computes, `story` puts numbers and words (`en`, `zh`) together, `charts` draws, for a terminal or a page.
"""
