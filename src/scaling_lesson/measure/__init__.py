"""Measuring one machine: the lesson's operations, timed beside their bounds. Writes one file in docs/measurements/.

`scripts/measure` runs it. `results` is the file: its schema, and what a page reads from it; `timing` times one thing;
`operations` and `models` say what is timed; `__main__` goes through it all, and writes after every step.
"""
