"""Plan how many members and epochs there is time for."""

from dataclasses import replace
from time import perf_counter

from skgd.tabular._members import Clock, begin_member, train_members

__all__ = ["epoch_seconds", "plan_for"]

# The part of the remaining time that is planned: members may slow down each other, and
# other processes may start.
PLANNED = 0.85

# The pace is measured for this many seconds, but at most for this part of the remaining
# time, by epochs of this many mini-batches.
MEASURED_SECONDS = 0.3
MEASURED_PART = 0.1
MEASURED_BATCHES = 40

# The least part of max_iter that is planned, if there are several members: with less time,
# there are fewer members.
LEAST_PART = 1 / 3

# The most members, unless n_members is larger.
MOST_MEMBERS = 20


def epoch_seconds(recipe, encoded, fraction, n_threads, left):
    """Measure the time of an epoch by training on a part of the rows.

    Parameters
    ----------
    recipe : Recipe
        The settings that the members share.

    encoded : Encoded
        The whole table.

    fraction : float
        The part of the rows that a member holds out.

    n_threads : int
        The number of members that train at the same time.

    left : float
        The remaining time in seconds.

    Returns
    -------
    float
        The seconds of an epoch of ``n_threads`` members at the same time.
    """
    n_rows = min(len(encoded.y), MEASURED_BATCHES * recipe.batch_size)
    part, held_out = encoded.part(0, n_rows), (0, max(1, int(fraction * n_rows)))
    try:
        begin_member(recipe, part, held_out, seed=0)
    except Exception:
        # The part may lack what the score needs, such as a class of few rows.
        recipe = replace(recipe, score=None)
    runs = [begin_member(recipe, part, held_out, seed) for seed in range(n_threads)]
    for run in runs:
        run.prepare()
    seconds = min(MEASURED_SECONDS, MEASURED_PART * left)
    clock, started, n_epochs = Clock(), perf_counter(), 0
    while n_epochs == 0 or perf_counter() - started < seconds:
        n_epochs += 1
        train_members(runs, n_epochs, clock, n_threads)
        if clock.is_interrupted:
            raise KeyboardInterrupt
        for run in runs:
            run.stop_reason = ""
    return (perf_counter() - started) / n_epochs * len(encoded.y) / n_rows


def plan_for(seconds, epoch, n_members, max_iter, n_threads):
    """Plan members and epochs for some time.

    Parameters
    ----------
    seconds : float
        The remaining time.

    epoch : float
        The seconds of an epoch of ``n_threads`` members at the same time.

    n_members, max_iter : int
        The parameters of the estimator. With little time, the plan has less; with much
        time, it has more members.

    n_threads : int
        The number of members that train at the same time.

    Returns
    -------
    n_members, max_iter : int
    """
    rounds = -(-n_members // n_threads)
    n_epochs = int(PLANNED * seconds / epoch)
    if n_epochs >= rounds * max_iter:
        most = max(n_members, MOST_MEMBERS)
        more = n_epochs // max_iter * n_threads
        return min(more, most), max_iter
    least = max(1, int(LEAST_PART * max_iter))
    rounds = max(1, min(rounds, n_epochs // least))
    return min(n_members, rounds * n_threads), max(1, min(max_iter, n_epochs // rounds))
