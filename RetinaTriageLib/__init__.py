"""RetinaTriage: tissue hypotheses, opinions and measurements of retinal OCT. Research use only."""
