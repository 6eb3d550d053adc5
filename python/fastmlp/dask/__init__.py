"""Training on more than one machine with Dask: local SGD in rounds.

Each shard of the rows trains a copy of the network for some steps, the copies are averaged, and the
next round begins. Every part of it is a plain Dask task, a function of its arguments alone, so that
a worker that dies, stops or joins changes nothing of the result.

============  ==================================================================
keys          keys of their own for the tasks that make partitions
table         what a fit is given: partitions of rows, and what all of them share
survey        what is learned of all partitions before training
columns       what is learned of the columns of tables
plan          shards, blocks, and the rows of each round: functions of a seed
blocks        rows in memory, as a network reads them
tabular_rows  the same for tables, and scores on them
scaling       standardised features, and a network that makes up for them
rounds        one round: local steps, their average, the outer step
cluster       waiting for tasks, and what is said if a cluster fails
tasks         rows in the memory of workers
validation    scores on rows that no step is made on
training      the loop over epochs, on the client
advice        warnings of a fit that has little to gain, and of sorted rows
sizes         a plan by the parameters of rounds
assembly      a recipe, and rounds over blocks, as every fit has them
fit           one fit: a survey, a plan, and the tasks that train by it
tabular_fit   the same for tables: columns, and several networks
parameters    parameters of rounds, beside those for data in memory
base          what all estimators share
estimators    the estimators for numbers
tabular       the estimators for tables
============  ==================================================================
"""

from fastmlp._extras import require

for _package in ("dask", "distributed", "sklearn", "narwhals"):
    require(_package, "fastmlp.dask", extra="dask")

from fastmlp.dask.advice import SmallFitWarning, SortedRowsWarning  # noqa: E402
from fastmlp.dask.cluster import ClusterError  # noqa: E402
from fastmlp.dask.estimators import DaskMLPClassifier, DaskMLPRegressor  # noqa: E402
from fastmlp.dask.tabular import DaskTabularClassifier, DaskTabularRegressor  # noqa: E402

__all__ = [
    "ClusterError",
    "DaskMLPClassifier",
    "DaskMLPRegressor",
    "DaskTabularClassifier",
    "DaskTabularRegressor",
    "SmallFitWarning",
    "SortedRowsWarning",
]
