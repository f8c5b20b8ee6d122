"""What a level's percentiles are, in the words of every table that has them."""

# A percentile is so chosen that the level's own lies at or below it in 99 of 100 cases, if requests were independent.
PERCENTILES_ARE = "each percentile is the highest value it may have in a level (99%, if its requests were independent)"
