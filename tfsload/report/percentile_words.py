"""What a level's percentiles are, in the words of every table that has them."""

# A percentile is so chosen that the level's own lies at or below it in 99 of 100 cases, if requests were independent.
PERCENTILES_ARE = "percentiles are the most that they may be in a level (99%, if its requests were independent)"
