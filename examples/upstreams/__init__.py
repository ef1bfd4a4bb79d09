"""Stand-ins for the vendors that Adology asks: real HTTP servers over a generated world of ads.

``python -m upstreams --world DIR`` runs them; `upstreams.faults` is what can go wrong in them.
"""
