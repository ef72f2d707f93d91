"""The real servers that tests talk to: started once, thrown away with everything in them."""
