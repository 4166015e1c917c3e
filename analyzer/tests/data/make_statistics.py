"""Reference values for the analyzer's statistics, computed independently with SciPy.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install scipy==1.14.1 numpy==2.2.6
    /tmp/reference/bin/python analyzer/tests/data/make_statistics.py > analyzer/tests/data/statistics.tsv
"""

import numpy as np
from scipy import stats

print("# function\targuments\tvalue (SciPy 1.14.1; made by make_statistics.py)")


def row(function, arguments, value):
    print(f"{function}\t{','.join(repr(a) if isinstance(a, int) else format(a, '.12g') for a in arguments)}\t{value:.15e}")


for mean in (0.05, 0.5, 3.0, 20.0, 150.0, 4000.0):
    spread = max(1.0, np.sqrt(mean))
    for count in sorted({0, 1, 5} | {int(mean + d * spread) for d in (-2, 0, 1, 3, 5, 8) if mean + d * spread > 0}):
        row("poisson_tail", (count, mean), stats.poisson.sf(count - 1, mean))
        for size in (1.0, 2.5, 40.0, 1126.0):
            # variance mean + mean^2 / size
            row("negative_binomial_tail", (count, mean, size), stats.nbinom.sf(count - 1, size, size / (size + mean)))

for trials in (3, 1000, 100_000, 4_000_000):
    for matches in (1, 2, 3, 5, 90):
        if matches <= trials:
            row("binomial_tail", (matches, trials, 2.0**-16), stats.binom.sf(matches - 1, trials, 2.0**-16))

# Benjamini and Hochberg: the largest chance whose adjusted value is within the rate
random = np.random.default_rng(14)
for tested in (1, 10, 200):
    for rate in (0.01, 0.05, 0.2):
        for power in (1.0, 6.0):
            chances = np.sort(np.round(random.random(tested) ** power, 9))
            adjusted = stats.false_discovery_control(chances, method="bh")
            found = chances[adjusted <= rate]
            row("discovery_limit", (rate, *map(float, chances)), found.max() if len(found) else 0.0)


def average_run_length(slack, limit, shift, states=800):
    """Brook and Evans (1972): a Markov chain over the states of an upper cumulative sum."""
    width = 2 * limit / (2 * states - 1)
    centres = np.arange(states) * width
    upper = centres[None, :] - centres[:, None] + width / 2 + slack - shift
    chance = stats.norm.cdf(upper) - stats.norm.cdf(upper - width)
    chance[:, 0] = stats.norm.cdf(upper[:, 0])
    return np.linalg.solve(np.eye(states) - chance, np.ones(states))[0]


for slack, limit, shift in ((0.5, 3.0, 0.0), (0.5, 4.0, 0.0), (0.5, 5.0, 0.0), (0.5, 10.0, 1.0), (0.5, 10.0, 2.0), (0.25, 8.0, 0.5)):
    row("run_length", (slack, limit, shift), average_run_length(slack, limit, shift))
