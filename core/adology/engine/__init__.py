"""The engine: gather, acquire, commit, insight, and the steward that repairs them."""
