"""Sections that the docstrings of both ensembles share."""

PARAMETERS = """\
n_estimators : int, default=5
    Number of networks, at least 1.
bootstrap : bool, default=False
    Whether each network is trained on a bootstrap sample of the rows: as many as there are, drawn
    with replacement, from each class as many as it has. If False, all networks see all rows, and
    differ in initial parameters, orders of rows and masks of dropout, as in [1]_.
random_state : int, RandomState or Generator instance, or None, default=None
    Source of the seeds of the networks and of the bootstrap samples; it takes the place of
    `random_state` of `estimator`.
n_jobs : int or None, default=None
    Number of networks that are trained at the same time: None is 1, unless a
    ``joblib.parallel_config`` says otherwise, and -1 is the number of cores. The results have the
    same bits for every number."""

ATTRIBUTES = """\
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the features, if those of training were all text."""

REFERENCES = """\
.. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive uncertainty
   estimation using deep ensembles", NeurIPS 2017."""

SECTIONS = {"parameters": PARAMETERS, "attributes": ATTRIBUTES, "references": REFERENCES}
