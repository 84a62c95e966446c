"""Training: labels, losses and loops that make the networks of a bundle."""
