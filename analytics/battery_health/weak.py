"""How likely a pack is a weak one: of two kinds of packs, those that differ as packs do and those that give way.

The odds of two normal distributions (Bayes): of sound packs, which differ as those of their model do, and of weak ones,
which take a fifth to a third more than others. A few packs in a hundred are weak before anything is known of them.
"""

import polars as pl

SHARE = 0.02  # of a fleet's packs that are weak: Recurrent, 1.5 to 2.5 % of packs were replaced (analytics facts, 3.6)
MORE, MORE_SD = 0.22, 0.08  # of the percents of a kilometre that weak packs take more, logarithm: 80 % of the capacity


def weak_probability(apart: pl.Expr, variance: pl.Expr, pack_cv: pl.Expr) -> pl.Expr:
    """Probability that a pack is weak.

    Parameters
    ----------
    apart : by how much more than one of its model and cycles in its vehicle the pack takes, logarithm
    variance : of `apart`, by what trips differ
    pack_cv : by how much sound packs of the model differ, relative
    """
    weak, sound = MORE_SD**2 + variance, pack_cv**2 + variance
    apart = apart.clip(0.0)  # a pack that takes less is no weak one
    odds = (sound / weak).sqrt() * ((apart**2 / sound - (apart - MORE) ** 2 / weak) / 2).exp()
    known = pl.when(variance.is_finite())
    return known.then(1 - 1 / (1 + odds * SHARE / (1 - SHARE))).round(3)
