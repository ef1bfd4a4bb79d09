"""The whole of Adology on one machine, from start to end: ``make demo``, or ``python -m demo --help``.

It draws a world of three brands (`drawing`), puts some trouble into it (`troubles`), starts the
embedded servers, the registry, the stand-in vendors and the workers in a home of its own (`home`,
`servers`), gathers the brands while it shows how far they are (`gathering`), prints what came of
it (`report`) and stops everything.
"""
