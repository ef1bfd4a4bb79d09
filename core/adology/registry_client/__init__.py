"""How workers reach the Active Brand Registry."""
