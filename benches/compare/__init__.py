"""fastmlp compared with its peers, on the same networks and the same data, in one run."""

OURS = "fastmlp"
