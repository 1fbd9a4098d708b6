"""What a Value does beside being differentiated, so that `engine` can be read in one sitting.

It is read as a number (`reading`), refuses to leave the graph unnoticed (`leaving`), is copied and
pickled (`copying`), is given new numbers (`assigning`), may be made by hand (`by_hand`), is
described and checked (`checks`), and shown by a notebook (`showing`). What becomes of new ones is
the grad mode (`grad_mode`), of which `anomaly` has one of its own. While many are made, the garbage
collector is held back (`collecting`).
"""
