"""An organisation that leaves: nobody gets in any more, and all that is private to it is removed."""
